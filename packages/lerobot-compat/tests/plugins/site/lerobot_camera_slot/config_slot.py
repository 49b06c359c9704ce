from dataclasses import dataclass

from lerobot.cameras import CameraConfig, ColorMode, Cv2Rotation


@CameraConfig.register_subclass("slot")
@dataclass
class SlotConfig(CameraConfig):
    color_mode: ColorMode = ColorMode.RGB
    rotation: Cv2Rotation = Cv2Rotation.NO_ROTATION
    brightness: int = 7

    def __post_init__(self) -> None:
        if self.fps is None:
            self.fps = 20
        self.width = self.width or 48
        self.height = self.height or 32
