"""Two SO arms as one robot or one teleoperator."""

from lerobot.motors.arms.pair import ServoFollowerPair, ServoLeaderPair
from lerobot.so100.config import SO101FollowerConfig, SO101LeaderConfig
from lerobot.so100.follower import SOFollower
from lerobot.so100.leader import SOLeader


class BiSOFollower(ServoFollowerPair):
    """Two follower arms; see `FollowerPair`."""

    name = "bi_so_follower"
    arm_class = SOFollower
    arm_config = SO101FollowerConfig


class BiSOLeader(ServoLeaderPair):
    """Two leader arms; see `LeaderPair`."""

    name = "bi_so_leader"
    arm_class = SOLeader
    arm_config = SO101LeaderConfig
