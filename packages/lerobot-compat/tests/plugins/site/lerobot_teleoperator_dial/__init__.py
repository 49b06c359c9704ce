"""A teleoperator in one module, whose class is found by the name of its configuration."""

from dataclasses import dataclass

from lerobot.teleoperators import Teleoperator
from lerobot.teleoperators import TeleoperatorConfig as Base
from lerobot.utils.errors import DeviceNotConnectedError


@Base.register_subclass("dial")
@dataclass(kw_only=True)
class DialConfig(Base):
    target: float = 50.0  # where the dial points
    levers: tuple[str, ...] = ("lever", "shade")


class Dial(Teleoperator):
    config_class = DialConfig
    name = "dial"

    def __init__(self, config: DialConfig) -> None:
        super().__init__(config)
        self.config = config
        self._connected = False
        self.felt: list[dict[str, float]] = []

    @property
    def action_features(self) -> dict[str, type]:
        return {f"{lever}.pos": float for lever in self.config.levers}

    @property
    def feedback_features(self) -> dict[str, type]:
        return {}

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def is_calibrated(self) -> bool:
        return True

    def connect(self, calibrate: bool = True) -> None:
        self._connected = True
        self.configure()

    def calibrate(self) -> None:
        pass

    def configure(self) -> None:
        pass

    def get_action(self) -> dict[str, float]:
        if not self._connected:
            raise DeviceNotConnectedError(f"{self} is not connected.")
        return {f"{lever}.pos": self.config.target for lever in self.config.levers}

    def send_feedback(self, feedback: dict[str, float]) -> None:
        self.felt.append(feedback)

    def disconnect(self) -> None:
        if not self._connected:
            raise DeviceNotConnectedError(f"{self} is not connected.")
        self._connected = False
