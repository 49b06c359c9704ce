"""Third-party robots, teleoperators and cameras behind our protocols, and driven by our commands."""

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import DeviceError, PluginLoadError
from lerobot.core.registry import registry
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.core.testing import CameraContract, RobotContract, TeleoperatorContract
from lerobot.core.testing.contracts.device import InjectedFault
from lerobot.core.testing.plugins import PluginFolder

pytestmark = pytest.mark.usefixtures("third_party")


class Fault(DeviceError, InjectedFault):
    """A failure that a contract puts into a plugin's device."""


def break_configure(self: Any, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin configures its device in the second half of its `connect`."""

    def fail() -> None:
        raise Fault("configure failed, as the contract wants")

    monkeypatch.setattr(device.device, "configure", fail)


class TestToaster(RobotContract):
    break_connect = break_configure

    @pytest.fixture
    def config(self, third_party: Path) -> Any:
        return registry.config_class("robot", "toaster")(port="x", units="percent")

    def in_safe_state(self, robot: Any) -> bool:
        return not robot.device.powered

    @pytest.mark.xfail(reason="plugins of huggingface/lerobot have no way to state a range")
    def test_positions_declare_unit_and_range(self, device: Any) -> None:
        super().test_positions_declare_unit_and_range(device)


class TestDial(TeleoperatorContract):
    break_connect = break_configure

    @pytest.fixture
    def config(self, third_party: Path) -> Any:
        return registry.config_class("teleoperator", "dial")()


class TestSlot(CameraContract):
    @pytest.fixture
    def config(self, third_party: Path) -> Any:
        return registry.config_class("camera", "slot")()


def toasters() -> list[Any]:
    return sys.modules["lerobot_robot_toaster"].Toaster.made


DRIVE = ("--robot.type=toaster", "--robot.port=x", "--teleop.type=dial", "--fps=50", "--safety.ramp_s=0.05")


def test_teleoperate_drives_it_through_the_gate_and_ends_disconnected(
    lerobot: Callable[..., tuple[int, str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    code, _, err = lerobot("teleoperate", *DRIVE, "--teleop_time_s=0.4", "--robot.units=percent")
    assert code == 0, err
    (toaster,) = toasters()
    levers = [sent["lever.pos"] for sent in toaster.sent]
    assert len(levers) >= 10
    assert levers == sorted(levers)
    assert 5 < levers[-1] <= 50.0
    steps = [later - earlier for earlier, later in pairwise(levers)]
    assert max(steps) <= 20.0, "200 percent a second, in ticks of at most 0.1 s"
    assert not toaster.powered
    told = [record.getMessage() for record in caplog.records]
    assert any("lever.pos, shade.pos declare no range" in text for text in told)
    assert not any("is not known either" in text for text in told)


def test_the_gate_says_that_it_knows_nothing_and_goes_by_what_it_is_told(
    lerobot: Callable[..., tuple[int, str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    limits = "--safety.position_limits={lever: [0, 3], shade: [0, 4]}"
    assert lerobot("teleoperate", *DRIVE, "--teleop_time_s=0.3", "--safety.max_velocity=100", limits)[0] == 0
    (toaster,) = toasters()
    assert (max(s["lever.pos"] for s in toaster.sent), max(s["shade.pos"] for s in toaster.sent)) == (3.0, 4.0)
    assert not any("declare" in record.getMessage() for record in caplog.records)
    caplog.clear()
    lerobot("teleoperate", *DRIVE, "--teleop_time_s=0.2")
    told = [record.getMessage() for record in caplog.records]
    assert any("the unit of lever.pos, shade.pos is not known either" in text for text in told)


def test_a_plugin_whose_connect_takes_no_arguments_is_connected(config: Callable[..., Any], monkeypatch) -> None:
    robot = config("robot", "toaster", port="x").build()
    connect = robot.device.connect
    monkeypatch.setattr(robot.device, "connect", lambda: connect())
    robot.connect()
    assert robot.is_connected
    robot.disconnect()


def test_record_makes_a_dataset_of_it(lerobot: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    dataset = pytest.importorskip("lerobot.datasets.lerobot_dataset")
    code, _, err = lerobot(
        "record",
        *DRIVE[:3],
        "--robot.cameras={in: {type: slot}}",
        "--dataset.repo_id=me/toast",
        f"--dataset.root={tmp_path / 'toast'}",
        "--dataset.num_episodes=1",
        "--dataset.episode_time_s=0.5",
        "--dataset.reset_time_s=0",
        "--dataset.fps=20",
        "--dataset.single_task=toast",
        "--dataset.push_to_hub=false",
        "--play_sounds=false",
    )
    assert code == 0, err
    read = dataset.LeRobotDataset("me/toast", root=tmp_path / "toast")
    assert read.meta.robot_type == "toaster"
    assert read.features["action"]["names"] == ["lever.pos", "shade.pos"]
    assert tuple(read[0]["observation.images.in"].shape) == (3, 32, 48)


@pytest.mark.parametrize("where", ["configure", "get_observation", "send_action"])
def test_whatever_a_plugin_raises_names_the_device_and_leaves_it_off(
    lerobot: Callable[..., tuple[int, str, str]], where: str
) -> None:
    code, _, err = lerobot("teleoperate", *DRIVE, f"--robot.fails_in={where}", "--robot.id=kitchen")
    assert code == 1
    assert err.startswith("error: toaster(kitchen) could not be ")
    assert "KeyError" in err
    assert not toasters()[-1].powered


def test_motors_are_switched_off_though_the_plugin_thinks_it_is_not_connected(config: Callable[..., Any]) -> None:
    robot = config("robot", "toaster", port="x").build()
    robot.connect()
    robot.device.lost_camera = True
    assert not robot.is_connected
    robot.enter_safe_state()
    assert not robot.device.powered
    robot.disconnect()


def test_a_plugin_that_cannot_be_switched_off_is_told(config: Callable[..., Any], monkeypatch) -> None:
    robot = config("robot", "toaster", port="x").build()
    robot.connect()

    def stuck() -> None:
        raise OSError("the bus is gone")

    with monkeypatch.context() as patch:
        patch.setattr(robot.device, "disconnect", stuck)
        with pytest.raises(DeviceError, match="toaster could not be disconnected: OSError: the bus is gone"):
            robot.enter_safe_state()
    robot.disconnect()
    assert not robot.device.powered


def test_only_what_was_sent_is_believed(config: Callable[..., Any], monkeypatch) -> None:
    robot = config("robot", "toaster", port="x").build()
    with GatedRobot.connected(robot, SafetyConfig()) as gated:
        gated.observe()
        monkeypatch.setattr(robot.device, "send_action", lambda _: None)
        with pytest.raises(DeviceError, match="returned NoneType from send_action"):
            gated.send({"lever.pos": 1.0, "shade.pos": 1.0})


def test_a_robot_class_in_our_own_group_is_used_as_well(tmp_plugin: PluginFolder, third_party: Path) -> None:
    tmp_plugin.install("lerobot-robot-pro", {"robot": {"pro": "lerobot_robot_toaster.toaster:Toaster"}})
    built = registry.config_class("robot", "pro")(port="x").build()
    assert type(built.device).__name__ == "Toaster"
    tmp_plugin.install("lerobot-robot-odd", {"robot": {"odd": "lerobot_robot_toaster:BreadConfig"}})
    with pytest.raises(PluginLoadError, match="is not a subclass of RobotConfig"):
        registry.config_class("robot", "odd")
