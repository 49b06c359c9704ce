"""Two ALOHA arms as one robot or one teleoperator."""

from lerobot.aloha_robot.config import AlohaFollowerConfig, AlohaLeaderConfig
from lerobot.aloha_robot.follower import AlohaFollower
from lerobot.aloha_robot.leader import AlohaLeader
from lerobot.motors.arms.pair import ServoFollowerPair, ServoLeaderPair


class BiAlohaFollower(ServoFollowerPair):
    """Two follower arms; see `FollowerPair`."""

    name = "bi_aloha_follower"
    arm_class = AlohaFollower
    arm_config = AlohaFollowerConfig


class BiAlohaLeader(ServoLeaderPair):
    """Two leader arms; see `LeaderPair`."""

    name = "bi_aloha_leader"
    arm_class = AlohaLeader
    arm_config = AlohaLeaderConfig
