"""Every device of the package passes the conformance kit, on virtual servos."""

from lerobot.core.testing import PluginPackageContract
from lerobot.motors.testing import FollowerContract, FollowerPairContract, LeaderContract, LeaderPairContract


class TestFollower(FollowerContract):
    registered, arm = "so100_follower", "so101"


class TestPairOfFollowers(FollowerPairContract):
    registered, arm = "bi_so_follower", "so101"


class TestLeader(LeaderContract):
    registered, arm = "so101_leader", "so101"


class TestPairOfLeaders(LeaderPairContract):
    registered, arm = "bi_so_leader", "so101"


class TestPackage(PluginPackageContract):
    distribution = "lerobot-so100"
