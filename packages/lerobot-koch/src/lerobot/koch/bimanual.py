"""Two Koch v1.1 arms as one robot or one teleoperator."""

from lerobot.koch.config import KochFollowerConfig, KochLeaderConfig
from lerobot.koch.follower import KochFollower
from lerobot.koch.leader import KochLeader
from lerobot.motors.arms.pair import ServoFollowerPair, ServoLeaderPair


class BiKochFollower(ServoFollowerPair):
    """Two follower arms; see `FollowerPair`."""

    name = "bi_koch_follower"
    arm_class = KochFollower
    arm_config = KochFollowerConfig


class BiKochLeader(ServoLeaderPair):
    """Two leader arms; see `LeaderPair`."""

    name = "bi_koch_leader"
    arm_class = KochLeader
    arm_config = KochLeaderConfig
