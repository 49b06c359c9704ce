"""Every device of the package passes the conformance kit, on virtual servos."""

from lerobot.core.testing import PluginPackageContract
from lerobot.motors.testing import FollowerContract, LeaderContract


class TestFollower(FollowerContract):
    registered, arm = "omx_follower", "omx"


class TestLeader(LeaderContract):
    registered, arm = "omx_leader", "omx_leader"


class TestPackage(PluginPackageContract):
    distribution = "lerobot-omx"
