"""Two OpenArms as one robot or one teleoperator."""

from lerobot.motors.arms.pair import FollowerPair, LeaderPair, ServoLeaderPair
from lerobot.openarm.config import OpenArmFollowerConfig, OpenArmLeaderConfig, OpenArmMiniConfig
from lerobot.openarm.follower import OpenArmFollower
from lerobot.openarm.leader import OpenArmLeader
from lerobot.openarm.mini import OpenArmMini


class BiOpenArmFollower(FollowerPair[OpenArmFollower]):
    """Two followers; see `FollowerPair`."""

    name = "bi_openarm_follower"
    arm_class = OpenArmFollower
    arm_config = OpenArmFollowerConfig


class BiOpenArmLeader(LeaderPair[OpenArmLeader]):
    """Two leaders; see `LeaderPair`."""

    name = "bi_openarm_leader"
    arm_class = OpenArmLeader
    arm_config = OpenArmLeaderConfig


class BiOpenArmMini(ServoLeaderPair):
    """Two minis; see `LeaderPair`."""

    name = "bi_openarm_mini"
    arm_class = OpenArmMini
    arm_config = OpenArmMiniConfig
