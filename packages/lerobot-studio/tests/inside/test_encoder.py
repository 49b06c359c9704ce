"""Pictures become JPEGs in another process, which may die."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from lerobot.studio.inside.encoder import Encoder


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    with Encoder() as encoder:
        yield encoder


def read(jpeg: bytes | None) -> Image.Image:
    assert jpeg is not None
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def test_colours_and_their_places_are_kept(encoder: Encoder) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:30, :40] = (250, 10, 10)
    picture[30:, 40:] = (10, 10, 250)
    image = np.asarray(read(encoder.encode(picture, 640)), np.int16)
    assert image.shape == (60, 80, 3)
    for row, column in ((15, 20), (45, 60), (15, 60)):
        assert np.abs(image[row, column] - picture[row, column]).max() < 12


def test_a_picture_is_no_wider_than_wanted_and_a_turned_one_is_right(encoder: Encoder) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:, :40] = 250
    turned = np.rot90(picture)
    assert not turned.flags["C_CONTIGUOUS"]
    image = np.asarray(read(encoder.encode(turned, 30)))
    assert image.shape == (40, 30, 3)
    assert image[-5:].mean() > 240
    assert image[:5].mean() < 10


def test_a_distance_is_grey_and_far_is_white(encoder: Encoder) -> None:
    distance = np.zeros((20, 30, 1), np.uint16)
    distance[:, 10:20], distance[:, 20:] = 2048, 60_000
    image = np.asarray(read(encoder.encode(distance, 640)))
    assert image.shape == (20, 30)
    assert [int(image[10, column]) for column in (4, 15, 25)] == pytest.approx([0, 127, 255], abs=8)


def test_what_is_no_picture_is_left_out(encoder: Encoder) -> None:
    assert encoder.encode(np.zeros((4, 4, 3), np.float32), 640) is None
    assert read(encoder.encode(np.zeros((4, 4, 3), np.uint8), 640)).size == (4, 4)


def test_after_its_process_was_killed_the_next_picture_has_another_one(encoder: Encoder) -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    read(encoder.encode(picture, 640))
    process = encoder._process
    assert process is not None
    process.kill()
    process.wait()
    assert encoder.encode(picture, 640) is None
    assert read(encoder.encode(picture, 640)).size == (640, 480)
