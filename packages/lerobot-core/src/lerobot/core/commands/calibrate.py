"""Configuration of `lerobot calibrate`."""

from typing import ClassVar

from lerobot.core.commands.one_device import OneDeviceConfig


class CalibrateConfig(OneDeviceConfig):
    """Calibrate a robot or a teleoperator."""

    target: ClassVar[str] = "lerobot.core.devices.command:calibrate"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot calibrate --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=my_follower",
        "lerobot calibrate --teleop.type=so101_leader --teleop.port=/dev/ttyACM1 --teleop.id=my_leader",
    )
