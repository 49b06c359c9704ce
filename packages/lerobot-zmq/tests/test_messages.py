"""The messages, beside recorded ones of huggingface/lerobot and beside OpenCV, which it reads and writes them with."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.zmq.messages import SentPicture, decode_message, encode_message

RED = np.zeros((48, 64, 3), np.uint8) + np.array([255, 0, 0], np.uint8)


def test_a_recorded_message_shows_what_was_captured(recorded: dict[str, Any]) -> None:
    pictures = decode_message([json.dumps(recorded).encode()])
    assert {name: picture.time_s for name, picture in pictures.items()} == recorded["timestamps"]
    image = pictures["head_camera"].image()
    assert image.shape == (48, 64, 3)
    assert tuple(image[0, 0]) == (254, 0, 0), "what its client read of the captured (255, 0, 0)"
    assert tuple(pictures["head_camera"].image("bgr")[0, 0]) == (0, 0, 254)


def test_what_is_written_has_its_form_and_its_order_of_colours() -> None:
    message = json.loads(encode_message({"wrist": SentPicture.of(RED, 12.5, PictureEncoder("jpeg", 80))}))
    assert message.keys() == {"timestamps", "images"}
    assert message["timestamps"] == {"wrist": 12.5}
    with Image.open(io.BytesIO(base64.b64decode(message["images"]["wrist"]))) as file:
        assert file.format == "JPEG"
        pixel = file.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 250, "blue for a program that goes by the file"
    assert pixel[0] < 5


def test_a_message_without_pictures_is_one() -> None:
    assert decode_message([b'{"timestamps": {}, "images": {}}']) == {}
    assert decode_message([encode_message({})]) == {}


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([], "0 frames"),
        ([b"{}", b"{}"], "2 frames"),
        ([b"\x80\x04\x95pickled"], "no JSON"),
        ([b"\xff\xfe"], "no JSON"),
        ([b"[" * 100_000], "no JSON"),
        ([b"[]"], "images of a message is a list"),
        ([b"{}"], "images of a message is a NoneType"),
        ([b'{"images": {"wrist": 1}}'], "the picture of 'wrist' is a int"),
        ([b'{"images": {}, "timestamps": 3}'], "timestamps of a message is a int"),
        ([b'{"images": {"wrist": ""}, "timestamps": {"wrist": NaN}}'], "taken at nan"),
        ([b'{"images": {"wrist": ""}, "timestamps": {"wrist": 1e999}}'], "taken at inf"),
        ([b'{"images": {"wrist": ""}, "timestamps": {"wrist": "now"}}'], "taken at now"),
        ([b'{"images": {"wrist": ""}, "timestamps": {"wrist": ' + b"9" * 400 + b"}}"], "taken at 999"),
    ],
)
def test_what_is_no_message_is_refused_in_one_line(frames: list[bytes], says: str) -> None:
    with pytest.raises(WireError, match=says) as caught:
        decode_message(frames)
    assert "\n" not in caught.value.what


def grey() -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "jpeg")
    return file.getvalue()


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "äöü",
        base64.b64encode(b"no picture").decode(),
        base64.b64encode(grey()).decode(),
        base64.b64encode(png()).decode(),
        base64.b64encode(PictureEncoder("jpeg", 80)(RED).data[:200]).decode(),
    ],
)
def test_what_is_no_colour_jpeg_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="picture"):
        SentPicture(text, None).image()
