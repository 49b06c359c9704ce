"""Images of cameras as tensors, against numpy."""

import numpy as np
import pytest

from lerobot.core.images import channels_first, network_images, unit_range

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3), (2, 3, 4, 5, 1)])
def test_colours_are_between_0_and_1_with_channels_first(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    made = network_images(torch.from_numpy(images))
    assert made.dtype == torch.float32
    assert made.is_contiguous()
    np.testing.assert_array_equal(made.numpy(), np.moveaxis(images, -1, -3) / np.float32(255))


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_distances_stay_in_millimetres(dtype: type) -> None:
    made = network_images(torch.from_numpy(np.array([[[0], [1234]]], dtype)))
    assert made.tolist() == [[[0.0, 1234.0]]]
    assert made.dtype == torch.float32


def test_what_is_written_to_is_what_would_be_made() -> None:
    colours, distances = torch.arange(256, dtype=torch.uint8), torch.tensor([1.5, 300.0], dtype=torch.float64)
    for images in (colours, distances):
        out = torch.empty(images.shape)
        assert unit_range(images, out=out) is out
        assert torch.equal(out, unit_range(images))


def test_the_view_shares_memory() -> None:
    images = torch.zeros(4, 5, 3)
    channels_first(images)[2, 3, 4] = 1.0
    assert images[3, 4, 2] == 1.0
