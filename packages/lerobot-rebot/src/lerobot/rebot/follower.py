"""A reBot B601 that follows commands."""

import logging

from lerobot.can.arms.follower import CanFollower
from lerobot.can.channel import Channel
from lerobot.can.damiao.bus import DamiaoMotorsBus
from lerobot.can.drive import Drive, ForcePosition, Impedance, PositionVelocity
from lerobot.can.motor import CanMotor
from lerobot.core.prompts import Prompter
from lerobot.rebot.config import RebotB601FollowerConfig, RebotB601FollowerFields
from lerobot.rebot.tables import GRIPPER, MODELS

log = logging.getLogger(__name__)

MOST_KD = 5.0
"""A frame of Damiao's motors can say no stronger damping; what is set above is sent as this."""


class RebotB601Follower(CanFollower):
    """A reBot B601 that follows commands; see `CanFollower`.

    Args:
        config: see `RebotB601FollowerConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "rebot_b601_follower"
    zero_pose = "sitting down, as its manual shows, gripper closed"

    def __init__(self, config: RebotB601FollowerConfig, *, prompter: Prompter | None = None) -> None:
        motors = {
            joint: CanMotor(motor_id, MODELS[joint], reply_id=reply_id)
            for joint, (motor_id, reply_id) in config.motor_can_ids.items()
        }
        channel = Channel(interface=config.can_adapter, serial_baud=config.dm_serial_baud)
        bus = DamiaoMotorsBus(config.port, motors, drives_of(config), channel=channel)
        super().__init__(config, bus, config.joint_limits, prompter=prompter)
        if beyond := [joint for joint, kd in config.per_joint(config.mit_kd).items() if kd > MOST_KD]:
            log.warning("%s: mit_kd of %s is sent as %g: a motor takes no more", self, ", ".join(beyond), MOST_KD)


def drives_of(config: RebotB601FollowerFields) -> dict[str, Drive]:
    """How each joint goes to a position."""
    kp, kd = config.per_joint(config.mit_kp), config.per_joint(config.mit_kd)
    speed = config.per_joint(config.pos_vel_velocity)
    drives: dict[str, Drive] = {
        joint: Impedance(kp[joint], min(kd[joint], MOST_KD))
        if config.control_mode == "mit"
        else PositionVelocity(speed[joint])
        for joint in config.motor_can_ids
    }
    drives[GRIPPER] = (
        Impedance(config.gripper_mit_kp, min(config.gripper_mit_kd, MOST_KD))
        if config.gripper_control_mode == "mit"
        else ForcePosition(speed[GRIPPER], config.gripper_torque_ratio)
    )
    return drives
