"""Two reBot arms as one device; every key has the prefix left_ or right_."""

from lerobot.motors.arms.pair import FollowerPair, ReaderPair
from lerobot.rebot.config import Rebot102LeaderConfig, RebotB601FollowerConfig
from lerobot.rebot.follower import RebotB601Follower
from lerobot.rebot.leader import Rebot102Leader


class BiRebotB601Follower(FollowerPair[RebotB601Follower]):
    """Two reBot B601 that follow commands; see `FollowerPair`."""

    name = "bi_rebot_b601_follower"
    arm_class = RebotB601Follower
    arm_config = RebotB601FollowerConfig


class BiRebot102Leader(ReaderPair[Rebot102Leader]):
    """Two reBot 102 that are moved by hand and read; see `ReaderPair`."""

    name = "bi_rebot_102_leader"
    arm_class = Rebot102Leader
    arm_config = Rebot102LeaderConfig
