"""The app HEBI Mobile I/O on iOS: where the phone is and what is pressed in the app."""

import time
from typing import Any

import numpy as np

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.extras import require
from lerobot.phone.rotations import from_quaternion
from lerobot.phone.tracker import Reading
from lerobot.remote.newest import Newest
from lerobot.remote.receiver import Receiver

FAMILY, NAME = "HEBI", "mobileIO"
LOOKUP_S = 2.0
CHANNELS = range(1, 9)
INPUTS = tuple(f"{bank}{channel}" for bank in "ab" for channel in CHANNELS)
"""The sliders a1 to a8 and the buttons b1 to b8."""


def find_group() -> Any:
    """Look for the app in the network, through HEBI's library.

    Raises:
        LeRobotError: the library is not installed.
        DeviceConnectionError: there is no such phone.
    """
    hebi = require("hebi", extra="ios", needed_by="a phone with iOS", distribution="lerobot-phone")
    lookup = hebi.Lookup()
    time.sleep(LOOKUP_S)
    group = lookup.get_group_from_names([FAMILY], [NAME])
    if group is None:
        raise DeviceConnectionError(
            "Mobile I/O not found — check name/family settings in the app.",
            expected=f"family {FAMILY}, name {NAME}, in the same network",
            hint="A phone with Android, or any browser with WebXR: --teleop.phone_os=android",
        )
    return group


class HebiPhone:
    """Hears the app in a thread of its own; a context manager.

    Tracking that is lost, or an app that falls silent, gives nothing new: the newest reading becomes too old, and the
    clutch (b1) has to be let go before the arm follows again.

    Args:
        max_age_s: an older reading is not given out.
    """

    def __init__(self, max_age_s: float) -> None:
        self._receiver: Receiver[Reading] = Receiver("the app Mobile I/O", self._receive, max_age_s=max_age_s)
        self._max_age_s = max_age_s
        self._group: Any = None
        self._blocked = True
        self._heard_s = -np.inf

    @property
    def newest(self) -> Newest[Reading]:
        """What came last."""
        return self._receiver.newest

    def __enter__(self) -> "HebiPhone":
        self._group = find_group()
        self._blocked, self._heard_s = True, -np.inf
        self._receiver.start(first_within_s=5.0)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._receiver.stop()
        self._group = None

    def _receive(self, timeout_s: float) -> Reading | None:
        feedback = self._group.get_next_feedback(timeout_ms=timeout_s * 1000)
        if feedback is None:
            return None
        phone = feedback[0]
        position, quaternion = np.array(phone.ar_position, float), np.array(phone.ar_orientation, float)
        length = np.linalg.norm(quaternion)
        if position.shape != (3,) or not np.isfinite(position).all() or not 0.5 < length < 2:
            self._blocked = True  # ARKit gives zeros or NaN while it does not know where it is
            return None
        inputs = _inputs(phone.io)
        now_s = time.monotonic()
        is_held = bool(inputs["b1"])
        if is_held and now_s - self._heard_s > self._max_age_s:
            self._blocked = True
        elif not is_held:
            self._blocked = False
        self._heard_s = now_s
        # HEBI gives w first.
        return Reading(position, from_quaternion(np.roll(quaternion, -1)), is_held and not self._blocked, inputs)


def _inputs(io: Any) -> dict[str, float]:
    values = dict.fromkeys(INPUTS, 0.0)
    for channel in CHANNELS:
        if io.a.has_float(channel):
            values[f"a{channel}"] = float(io.a.get_float(channel))
        if io.b.has_int(channel):
            values[f"b{channel}"] = float(io.b.get_int(channel))
    return {name: value if np.isfinite(value) else 0.0 for name, value in values.items()}
