"""Enumerations of huggingface/lerobot's camera configurations; members are equal to the plain values of ours."""

from enum import IntEnum, StrEnum


class ColorMode(StrEnum):
    """Order of the colour channels."""

    RGB = "rgb"
    BGR = "bgr"


class Cv2Rotation(IntEnum):
    """Clockwise rotation in degrees."""

    NO_ROTATION = 0
    ROTATE_90 = 90
    ROTATE_180 = 180
    ROTATE_270 = -90


class Cv2Backends(IntEnum):
    """Backends of OpenCV.

    Source:
        https://docs.opencv.org/4.x/d4/d15/group__videoio__flags__base.html
    """

    ANY = 0
    V4L2 = 200
    DSHOW = 700
    PVAPI = 800
    ANDROID = 1000
    AVFOUNDATION = 1200
    MSMF = 1400


def get_cv2_rotation(rotation: int) -> int | None:
    """The code `cv2.rotate` takes for a rotation; None for none.

    Source:
        https://docs.opencv.org/4.x/d2/de8/group__core__array.html (`RotateFlags`)
    """
    return {90: 0, 180: 1, -90: 2}.get(rotation)
