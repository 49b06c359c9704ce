"""Cutting out and resizing: the contract, and values worked out by hand."""

from typing import Any

import pytest
import torch

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.policies.processing.config import ImageCropResizeConfig

TOP, WRIST, DEPTH = "observation.images.top", "observation.images.wrist", "observation.images.depth"


def changed(observation: dict[str, Any], **fields: Any) -> dict[str, Any]:
    result: dict[str, Any] = build_step(ImageCropResizeConfig(**fields))(create_transition(observation=observation))[
        "observation"
    ]
    return result


class TestCropResize(ProcessorContract):
    @pytest.fixture
    def config(self) -> Any:
        return ImageCropResizeConfig(crop_params_dict={TOP: (1, 2, 4, 3)}, resize_size=(5, 6))

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        images = {TOP: torch.rand(2, 3, 8, 9), WRIST: torch.rand(2, 3, 4, 4)}
        return create_transition(observation={**images, "observation.state": torch.rand(2, 3)})


class TestCrop(TestCropResize):
    @pytest.fixture
    def config(self) -> Any:
        return ImageCropResizeConfig(crop_params_dict={TOP: (1, 2, 4, 3)})


def test_what_is_kept_is_the_rectangle_that_was_named() -> None:
    image = torch.arange(1 * 4 * 5).reshape(1, 1, 4, 5).float()
    result = changed({TOP: image, WRIST: image}, crop_params_dict={TOP: (1, 2, 2, 3)})
    assert result[TOP].tolist() == [[[[7.0, 8.0, 9.0], [12.0, 13.0, 14.0]]]]
    assert torch.equal(result[WRIST], image)


def test_halving_averages_neighbours() -> None:
    """Antialiased: weights 1/8, 3/8, 3/8, 1/8 of a triangle as wide as four pixels."""
    row = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]).expand(1, 3, 8, 8)
    result = changed({TOP: row}, resize_size=(8, 4))[TOP]
    assert result.shape == (1, 3, 8, 4)
    assert result[0, 0, 0].tolist() == pytest.approx([0.0, 3 / 8, 1 / 8, 0.0], abs=1e-6)


def test_colours_end_in_their_range_and_depth_in_millimetres() -> None:
    result = changed({TOP: torch.full((3, 4, 4), 7.0), DEPTH: torch.full((1, 4, 4), 1234.0)}, resize_size=(2, 2))
    assert result[TOP].unique().tolist() == [1.0]
    assert result[DEPTH].flatten().tolist() == pytest.approx([1234.0] * 4)


def test_frames_of_an_observation_are_resized_each() -> None:
    image = torch.rand(2, 3, 3, 8, 8)
    result = changed({TOP: image}, resize_size=(4, 4))[TOP]
    assert torch.equal(result[1, 2], changed({TOP: image[1, 2]}, resize_size=(4, 4))[TOP])


@pytest.mark.parametrize("crop", [(0, 0, 5, 4), (2, 0, 3, 4), (-1, 0, 2, 2), (0, 0, 0, 2)])
def test_a_crop_that_reaches_out_is_refused(crop: tuple[int, int, int, int]) -> None:
    with pytest.raises(FeatureMismatchError, match="reaches out of") as caught:
        changed({TOP: torch.rand(3, 4, 4)}, crop_params_dict={TOP: crop})
    assert caught.value.keys == (TOP,)


def test_bytes_are_not_resized() -> None:
    with pytest.raises(FeatureMismatchError, match=r"is made of torch\.uint8"):
        changed({TOP: torch.zeros(3, 4, 4, dtype=torch.uint8)}, resize_size=(2, 2))
