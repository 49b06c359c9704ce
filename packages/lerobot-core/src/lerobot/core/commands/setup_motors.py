"""Configuration of `lerobot setup-motors`."""

from typing import ClassVar

from lerobot.core.commands.one_device import OneDeviceConfig


class SetupMotorsConfig(OneDeviceConfig):
    """Give the motors of a newly built arm their ids and speed."""

    target: ClassVar[str] = "lerobot.core.devices.command:setup_motors"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot setup-motors --robot.type=so101_follower --robot.port=/dev/ttyACM0",
        "lerobot setup-motors --teleop.type=so101_leader --teleop.port=/dev/ttyACM1",
    )
