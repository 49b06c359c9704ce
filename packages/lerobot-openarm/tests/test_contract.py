"""Every device of the package passes the conformance kit, on virtual motors of other processes."""

from typing import Any, ClassVar

import pytest

from lerobot.core.testing import PluginPackageContract, ScriptedPrompter
from lerobot.motors.testing import FollowerContract, FollowerPairContract, LeaderContract, LeaderPairContract

SLCAN = {"can_interface": "slcan"}


class Zeroed:
    """Arms that take a zero pose instead of being swept."""

    def run_calibration(self, device: Any) -> None:
        device.prompter = ScriptedPrompter(["c", ""] * len(self.lines))  # type: ignore[attr-defined]
        device.calibrate()


class TestFollower(Zeroed, FollowerContract):
    registered, arm = "openarm_follower", "openarm"
    fields = {**SLCAN, "side": "right"}
    capabilities: ClassVar[set[str]] = {"calibration", "cameras"}


class TestFollowerPair(Zeroed, FollowerPairContract):
    registered, arm = "bi_openarm_follower", "openarm"
    capabilities: ClassVar[set[str]] = {"calibration", "cameras"}

    def make_config(self, kind: str, folder: Any, **fields: Any) -> Any:
        for side in ("left", "right"):
            fields[f"{side}_arm_config"] |= {**SLCAN, "side": side}
        return super().make_config(kind, folder, **fields)


class TestLeader(Zeroed, LeaderContract):
    registered, arm, id = "openarm_leader", "openarm", "black"
    fields = SLCAN


@pytest.mark.slow
class TestLeaderPair(Zeroed, LeaderPairContract):
    registered, arm, id = "bi_openarm_leader", "openarm", "black"

    def make_config(self, kind: str, folder: Any, **fields: Any) -> Any:
        for side in ("left", "right"):
            fields[f"{side}_arm_config"] |= SLCAN
        return super().make_config(kind, folder, **fields)


class Grasped:
    """Minis whose gripper somebody closes and opens."""

    def run_calibration(self, device: Any) -> None:
        lines = list(self.lines)  # type: ignore[attr-defined]

        class Hand(ScriptedPrompter):
            def ask(self, text: str) -> str:
                if "CLOSED" in text:
                    lines[0].move({8: 1500})
                elif "OPEN" in text:
                    lines.pop(0).move({8: 2500})
                return "c" if "type 'c'" in text else ""

        device.prompter = Hand()
        device.calibrate()


class TestMini(Grasped, LeaderContract):
    registered = arm = "openarm_mini"
    fields = {"side": "left"}


@pytest.mark.slow
class TestMiniPair(Grasped, LeaderPairContract):
    registered, arm = "bi_openarm_mini", "openarm_mini"


class TestPackage(PluginPackageContract):
    distribution = "lerobot-openarm"
