"""Every device of the package passes the conformance kit, on virtual motors at the wire of the real ones."""

from typing import ClassVar

from lerobot.core.testing import PluginPackageContract
from lerobot.motors.testing import FollowerContract, FollowerPairContract, LeaderContract, LeaderPairContract


class TestFollower(FollowerContract):
    registered, arm = "rebot_b601_follower", "rebot_b601"
    capabilities: ClassVar[set[str]] = {"calibration", "cameras"}


class TestLeader(LeaderContract):
    registered, arm = "rebot_102_leader", "rebot_102"
    capabilities: ClassVar[set[str]] = {"calibration"}


class TestFollowerPair(FollowerPairContract):
    registered, arm = "bi_rebot_b601_follower", "rebot_b601"
    capabilities: ClassVar[set[str]] = {"calibration", "cameras"}


class TestLeaderPair(LeaderPairContract):
    registered, arm = "bi_rebot_102_leader", "rebot_102"
    capabilities: ClassVar[set[str]] = {"calibration"}


class TestPackage(PluginPackageContract):
    distribution = "lerobot-rebot"
