"""The camera, behind senders that do what they should not."""

import json
import logging
import random
import time
from collections.abc import Callable

import numpy as np
import pytest
from zmq_sender import Sender, sending

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.zmq.camera import ZMQCamera
from lerobot.zmq.config import ZMQCameraConfig
from lerobot.zmq.messages import SentPicture, encode_message

ENCODER = PictureEncoder("jpeg", 80)
RED = np.zeros((48, 64, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
EMPTY = encode_message({})

Config = Callable[..., ZMQCameraConfig]


def sent(name: str = "wrist", image: np.ndarray = RED, ahead_s: float = 0.0) -> bytes:
    return encode_message({name: SentPicture.of(image, time.time() + ahead_s, ENCODER)})


@pytest.mark.parametrize(("mode", "pixel"), [("rgb", (254, 0, 0)), ("bgr", (0, 0, 254))])
def test_a_recorded_message_is_shown(
    sender: Sender, config: Config, recorded: dict[str, dict[str, object]], mode: str, pixel: tuple[int, ...]
) -> None:
    picture = recorded["images"]["head_camera"]
    sender.message = lambda n: json.dumps({"timestamps": {"wrist": 1e9 + n}, "images": {"wrist": picture}}).encode()
    with ZMQCamera(config(color_mode=mode)) as camera:
        assert tuple(camera.read()[0, 0]) == pixel
        assert (camera.width, camera.height) == (64, 48)


def test_messages_without_pictures_are_counted_and_survived(sender: Sender, config: Config) -> None:
    sender.message = lambda n: EMPTY if n % 20 else sent()
    with ZMQCamera(config()) as camera:
        for _ in range(3):
            camera.async_read(timeout_ms=5000)
        assert camera.empty > 20
        assert camera.refused == 0


def test_the_other_cameras_of_a_server_are_none_of_this_one(sender: Sender, config: Config) -> None:
    blue = RED[:, :, ::-1]
    sender.message = lambda n: sent("head", blue) if n % 3 else sent()
    with ZMQCamera(config()) as camera:
        assert all(camera.async_read(timeout_ms=5000)[0, 0, 0] > 250 for _ in range(5))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (None, "nothing came within"),
        (EMPTY, "messages came, none with a picture"),
        (sent("head"), "has no camera 'wrist'"),
        (b"\x80\x04\x95", "is of no use: a message is no JSON"),
        (sent(image=RED[:24]), "is of no use: a picture is 64x24"),
    ],
)
def test_what_came_instead_is_said(sender: Sender, config: Config, message: bytes | None, says: str) -> None:
    sender.message = lambda _: message
    camera = ZMQCamera(config(timeout_ms=400, width=64, height=48))
    with pytest.raises(DeviceConnectionError, match=says) as caught:
        camera.connect()
    assert not camera.is_connected
    if "no camera" in says:
        assert caught.value.expected == "one of head"


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(DeviceConnectionError, match="'not an address' is no address"):
        ZMQCamera(ZMQCameraConfig(server_address="not an address")).connect()


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_a_clock_off_by_an_hour_makes_no_picture_old(sender: Sender, config: Config, ahead_s: float) -> None:
    sender.message = lambda _: sent(ahead_s=ahead_s)
    with ZMQCamera(config()) as camera:
        camera.read()
        assert camera.read_latest(max_age_ms=2000) is not None
        assert camera.latest_frame().time_s <= time.monotonic()


def test_a_picture_that_is_sent_again_is_no_new_one(sender: Sender, config: Config) -> None:
    again = sent()
    sender.message = lambda _: again
    with ZMQCamera(config()) as camera:
        camera.async_read(timeout_ms=5000)
        with pytest.raises(DeviceTimeoutError):
            camera.async_read(timeout_ms=300)


def test_a_server_that_falls_silent_is_refused_and_heard_again(config: Config, sender: Sender) -> None:
    with sending() as first:
        first.message = lambda _: sent()
        camera = ZMQCamera(config(port=first.port, timeout_ms=2000))
        camera.connect()
        camera.read()
    time.sleep(2.1)
    with pytest.raises(DeviceTimeoutError, match="has sent no picture for"):
        camera.latest_frame()
    camera.async_read(timeout_ms=0)  # the last one of before
    with sending(first.port) as second:
        second.message = lambda _: sent()
        camera.async_read(timeout_ms=10_000)
        assert camera.latest_frame().image.shape == (48, 64, 3)
    camera.disconnect()
    camera.disconnect()


def hostile(values: random.Random) -> bytes | list[bytes]:
    """Garbage, damaged messages and messages that lie about themselves."""
    good = sent()
    match values.randrange(6):
        case 0:
            return values.randbytes(values.randrange(1, 300))
        case 1:
            return [values.randbytes(20) for _ in range(values.randrange(2, 5))]
        case 2:
            return good[: values.randrange(1, len(good))]
        case 3:
            damaged = bytearray(good)
            for _ in range(20):
                damaged[values.randrange(len(damaged))] = values.randrange(256)
            return bytes(damaged)
        case 4:
            return sent(image=np.zeros((8, 8, 3), np.uint8))
        case _:
            return json.dumps({"images": {"wrist": "A" * values.randrange(1000)}}).encode()


def test_garbage_is_told_once_counted_and_never_shown(
    sender: Sender, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    values = random.Random(3)
    sender.message = lambda n: sent() if n % 4 == 0 else hostile(values)
    with caplog.at_level(logging.WARNING), ZMQCamera(config(width=64, height=48)) as camera:
        while camera.refused < 60:
            image = camera.async_read(timeout_ms=5000)
            assert image.shape == (48, 64, 3)
    told = [record for record in caplog.records if record.name == "lerobot.zmq.camera"]
    assert len(told) == 1
    assert "\n" not in told[0].getMessage()


def test_the_newest_wins_where_the_reader_is_slow(
    sender: Sender, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that needs six periods per picture still shows what was sent last, not what queued."""
    decode = SentPicture.image

    def slowly(self: SentPicture, color_mode: str = "rgb") -> np.ndarray:
        time.sleep(0.06)
        return decode(self, color_mode)

    monkeypatch.setattr(SentPicture, "image", slowly)
    numbers: list[int] = []

    def numbered(number: int) -> bytes:
        numbers.append(number)
        return sent(image=np.full((48, 64, 3), number % 250, np.uint8))

    sender.message = numbered
    with ZMQCamera(config()) as camera:
        for _ in range(10):
            shown = int(camera.async_read(timeout_ms=5000)[0, 0, 0])
            assert (numbers[-1] - shown) % 250 < 40
