"""Every device of the package passes the conformance kit, on virtual servos."""

from lerobot.core.testing import PluginPackageContract
from lerobot.motors.testing import FollowerContract, FollowerPairContract, LeaderContract, LeaderPairContract


class TestFollower(FollowerContract):
    registered, arm = "koch_follower", "koch"


class TestPairOfFollowers(FollowerPairContract):
    registered, arm = "bi_koch_follower", "koch"


class TestLeader(LeaderContract):
    registered, arm = "koch_leader", "koch_leader"


class TestPairOfLeaders(LeaderPairContract):
    registered, arm = "bi_koch_leader", "koch_leader"


class TestPackage(PluginPackageContract):
    distribution = "lerobot-koch"
