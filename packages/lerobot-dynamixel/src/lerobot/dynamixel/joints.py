"""Joints of arms on Dynamixel servos, as a table of an arm lists them."""

from collections.abc import Mapping
from types import MappingProxyType

from lerobot.dynamixel.bus import OperatingMode
from lerobot.dynamixel.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import Joint

EXTENDED: Mapping[str, int] = MappingProxyType({"Operating_Mode": OperatingMode.EXTENDED_POSITION.value})
"""Plain position mode ignores homing offsets of more than a quarter turn."""

BY_CURRENT: Mapping[str, int] = MappingProxyType({"Operating_Mode": OperatingMode.CURRENT_POSITION.value})
"""A gripper that holds an object, or a trigger that a finger holds, is stalled: its current is limited."""

STIFF: Mapping[str, int] = MappingProxyType({"Position_P_Gain": 1500, "Position_I_Gain": 0, "Position_D_Gain": 600})
"""Stiffer than the servo's own 400, 0, 0: for an elbow that carries the forearm."""


def joint(
    motor_id: int,
    model: str,
    *,
    settings: Mapping[str, int] = MappingProxyType({}),
    is_gripper: bool = False,
    is_endless: bool = False,
    is_reversed: bool = False,
    homing_offset: int = 0,
    shadow_of: str | None = None,
) -> Joint:
    """A joint with the speed of its model, calibrated in extended position mode; see `Joint`.

    Args:
        motor_id: address of the servo.
        model: its model.
        settings: contents of registers it works with, in the order they are written, over `EXTENDED`, or over
            `BY_CURRENT` for a gripper.
        is_gripper: it opens and closes.
        is_endless: it turns without stops.
        is_reversed: it is built in the other way round.
        homing_offset: its offset, in encoder steps, on an arm that is aligned.
        shadow_of: the joint it turns too, facing that joint's own servo.
    """
    return Joint(
        motor_id,
        model,
        SPEEDS_DEG_S[model],
        is_gripper=is_gripper,
        is_endless=is_endless,
        settings={**(BY_CURRENT if is_gripper else EXTENDED), **settings},
        calibration_settings=EXTENDED,
        drive_mode=int(is_reversed),
        homing_offset=homing_offset,
        shadow_of=shadow_of,
    )
