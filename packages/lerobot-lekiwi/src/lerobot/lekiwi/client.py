"""A LeKiwi that another computer drives."""

from lerobot.core.prompts import Prompter
from lerobot.lekiwi.config import LeKiwiClientConfig
from lerobot.lekiwi.zmq_client import ZmqClient
from lerobot.remote.config import RemoteRobotConfig
from lerobot.remote.device.robot import RemoteRobot


class LeKiwiClient(RemoteRobot):
    """A LeKiwi behind `lerobot serve --robot.type=lekiwi`; see `RemoteRobot`.

    Args:
        config: see `LeKiwiClientConfig`.
    """

    name = "lekiwi_client"

    def __init__(self, config: LeKiwiClientConfig) -> None:
        super().__init__(
            RemoteRobotConfig(
                address=f"{config.remote_ip}:{config.port}",
                token_file=config.token_file,
                tls_ca=config.tls_ca,
                connect_timeout_s=config.connect_timeout_s,
                max_age_s=config.max_age_s,
                id=config.id,
            )
        )


def lekiwi_client(config: LeKiwiClientConfig, *, prompter: Prompter | None = None) -> LeKiwiClient | ZmqClient:
    """Make the client that speaks as the host does.

    Args:
        config: see `LeKiwiClientConfig`.
        prompter: who answers questions; nobody is asked.
    """
    return LeKiwiClient(config) if config.wire == "lerobot" else ZmqClient(config, prompter=prompter)
