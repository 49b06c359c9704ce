"""The enumeration of huggingface/lerobot's phone configuration; members are equal to the plain values of ours."""

from enum import StrEnum


class PhoneOS(StrEnum):
    """Which system a phone has."""

    ANDROID = "android"
    IOS = "ios"
