"""The bus of an OpenArm."""

from lerobot.can.channel import Channel
from lerobot.can.damiao.bus import DamiaoMotorsBus
from lerobot.openarm.config import CanFields


def bus_of(config: CanFields) -> DamiaoMotorsBus:
    """The motors of an arm, not connected."""
    channel = Channel(config.can_interface, config.can_bitrate, config.use_can_fd)
    return DamiaoMotorsBus(config.port, config.motors(), config.drives(), channel=channel)
