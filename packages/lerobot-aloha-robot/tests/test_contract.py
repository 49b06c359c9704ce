"""Every device of the package passes the conformance kit, on virtual servos."""

from lerobot.core.testing import PluginPackageContract
from lerobot.motors.testing import FollowerContract, FollowerPairContract, LeaderContract, LeaderPairContract


class TestFollower(FollowerContract):
    registered, arm = "aloha_follower", "aloha"


class TestPairOfFollowers(FollowerPairContract):
    registered, arm = "bi_aloha_follower", "aloha"


class TestLeader(LeaderContract):
    registered, arm = "aloha_leader", "aloha_leader"


class TestPairOfLeaders(LeaderPairContract):
    registered, arm = "bi_aloha_leader", "aloha_leader"


class TestPackage(PluginPackageContract):
    distribution = "lerobot-aloha-robot"
