"""Configurations of the HopeJR arm and hand, and of the Homunculus exoskeleton and glove that lead them."""

from typing import Literal, TypeAlias

from pydantic import Field

from lerobot.core.config.base import TeleoperatorConfig
from lerobot.motors.arms.config import FollowerConfig

Side: TypeAlias = Literal["left", "right"]


class HopeJRArmConfig(FollowerConfig):
    """A HopeJR arm, from the shoulder to the wrist."""

    target = "lerobot.hope_jr.arm:HopeJRArm"

    type: str = "hope_jr_arm"


class HopeJRHandConfig(FollowerConfig):
    """A HopeJR hand."""

    target = "lerobot.hope_jr.hand:HopeJRHand"

    type: str = "hope_jr_hand"
    side: Side = Field(description="Which hand it is: left or right.")


class HomunculusConfig(TeleoperatorConfig):
    """Fields of the exoskeleton and the glove."""

    port: str = Field(description="Serial port of the device, such as /dev/ttyACM0; `lerobot find-port` finds it.")
    baud_rate: int = Field(default=115_200, gt=0, description="Bits per second of the port.")


class HomunculusArmConfig(HomunculusConfig):
    """A Homunculus exoskeleton, which leads a HopeJR arm."""

    target = "lerobot.hope_jr.exoskeleton:HomunculusArm"

    type: str = "homunculus_arm"


class HomunculusGloveConfig(HomunculusConfig):
    """A Homunculus glove, which leads a HopeJR hand."""

    target = "lerobot.hope_jr.glove:HomunculusGlove"

    type: str = "homunculus_glove"
    side: Side = Field(description="Which hand it is worn on: left or right.")
