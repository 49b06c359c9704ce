"""Changes of pictures: by their definitions, drawn from (seed, step) alone, on bytes too."""

import colorsys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from lerobot.training.augmentation import operations
from lerobot.training.augmentation.config import ImageTransformConfig, ImageTransformsConfig
from lerobot.training.augmentation.draws import Augmentation

Train, Resume, States = Callable[..., Path], Callable[..., None], Callable[[Path], dict[str, bytes]]


def pictures(rows: int = 2, height: int = 12, width: int = 16) -> torch.Tensor:
    bytes_ = torch.randint(0, 256, (rows, 3, height, width), generator=torch.Generator().manual_seed(0))
    return bytes_.float() / 255


def as_image(picture: torch.Tensor) -> Image.Image:
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


@pytest.mark.parametrize(
    ("operation", "reference"),
    [
        (operations.brightness, ImageEnhance.Brightness),
        (operations.contrast, ImageEnhance.Contrast),
        (operations.saturation, ImageEnhance.Color),
        (operations.sharpness, ImageEnhance.Sharpness),
    ],
)
@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.7])
def test_factors_are_those_of_the_imaging_library(operation: Any, reference: Any, factor: float) -> None:
    """Within the rounding to bytes that the library does, twice for what it blends with."""
    given = pictures()
    found = operation(given, torch.tensor([factor, 1.0]))
    expected = np.asarray(reference(as_image(given[0])).enhance(factor)).transpose(2, 0, 1) / 255
    assert np.abs(found[0].numpy() - expected).max() <= 2.5 / 255
    assert torch.allclose(found[1], given[1], atol=1e-6)


@pytest.mark.parametrize("turns", [-0.5, -0.05, 0.0, 0.3])
def test_hue_is_that_of_the_standard_library(turns: float) -> None:
    given = pictures(1, 4, 5)
    given[0, :, 0, 0] = 0.5
    found = operations.hue(given, torch.tensor([turns]))[0].permute(1, 2, 0).reshape(-1, 3).tolist()
    for before, after in zip(given[0].permute(1, 2, 0).reshape(-1, 3).tolist(), found, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        assert after == pytest.approx(colorsys.hsv_to_rgb((hue + turns) % 1, saturation, value), abs=1e-5)


def test_shifts_go_right_and_down_and_leave_black() -> None:
    given = pictures(2, 8, 10) + 0.01
    found = operations.affine(given, torch.zeros(2), torch.tensor([0.2, 0.0]), torch.tensor([0.0, 0.25]))
    assert torch.equal(found[0, :, :, 2:], given[0, :, :, :-2])
    assert not found[0, :, :, :2].any()
    assert torch.equal(found[1, :, 2:], given[1, :, :-2])
    assert not found[1, :, :2].any()


def test_a_quarter_turn_is_clockwise() -> None:
    given = pictures(1, 8, 8)
    zero = torch.zeros(1)
    found = operations.affine(given, torch.tensor([90.0]), zero, zero)
    assert torch.equal(found, given.rot90(-1, dims=(-2, -1)))


def test_rotation_keeps_proportions_in_wide_pictures() -> None:
    """A disc stays a disc, at the place it is turned to."""
    height, width = 60, 120
    y, x = torch.meshgrid(torch.arange(height) - 29.5, torch.arange(width) - 59.5, indexing="ij")
    disc = ((x - 20) ** 2 + y**2 < 64).float().expand(1, 3, -1, -1).contiguous()
    found = operations.affine(disc, torch.tensor([90.0]), torch.zeros(1), torch.zeros(1))
    expected = (x**2 + (y - 20) ** 2 < 64).float()
    assert (found[0, 0] != expected).float().sum() < 0.1 * expected.sum()


def test_a_window_is_changed_as_one() -> None:
    window = pictures(1).unsqueeze(1).expand(-1, 4, -1, -1, -1)
    augmentation = Augmentation(ImageTransformsConfig(enable=True, max_num_transforms=6), ["cam"], seed=1)
    changed = augmentation({"cam": window}, 0)["cam"]
    assert not torch.allclose(changed, window)
    assert all(torch.equal(changed[:, 0], changed[:, index]) for index in range(1, 4))


def test_draws_depend_on_seed_step_and_process_alone() -> None:
    config = ImageTransformsConfig(enable=True)
    batch = {"cam": pictures(4), "depth": pictures(4), "task": ["a"] * 4}

    def draw(step: int, seed: int = 1, rank: int = 0) -> torch.Tensor:
        torch.rand(7)
        found = Augmentation(config, ["cam"], seed=seed, rank=rank)(batch, step)
        assert found["depth"] is batch["depth"]
        assert found["task"] is batch["task"]
        changed: torch.Tensor = found["cam"]
        return changed

    assert torch.equal(draw(3), draw(3))
    others = [draw(4), draw(3, seed=2), draw(3, rank=1)]
    assert not any(torch.equal(draw(3), other) for other in others)
    assert torch.equal(batch["cam"], pictures(4))
    assert all(other.min() >= 0 and other.max() <= 1 for other in others)


def test_weights_say_how_often_and_zero_never() -> None:
    tfs = {
        "dark": ImageTransformConfig(type="ColorJitter", kwargs={"brightness": (0.5, 0.5)}, weight=3),
        "black": ImageTransformConfig(type="ColorJitter", kwargs={"brightness": (0.0, 0.0)}),
        "never": ImageTransformConfig(type="ColorJitter", kwargs={"brightness": (0.9, 0.9)}, weight=0),
    }
    config = ImageTransformsConfig(enable=True, max_num_transforms=1, tfs=tfs)
    means = Augmentation(config, ["cam"], seed=0)({"cam": torch.ones(4000, 3, 2, 2)}, 0)["cam"].mean(dim=(1, 2, 3))
    assert set(means.tolist()) == {0.0, 0.5}
    assert (means == 0.5).float().mean().item() == pytest.approx(0.75, abs=0.03)


def test_order_is_that_of_the_list_or_random() -> None:
    """Dark to black and then sharper is black; to make grey first or last shows in the colour."""
    tfs = {
        "grey": ImageTransformConfig(type="ColorJitter", kwargs={"saturation": (0.0, 0.0)}),
        "turn": ImageTransformConfig(type="ColorJitter", kwargs={"hue": (1 / 3, 1 / 3)}),
    }
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(200, 3, 4, 4)
    fixed, mixed = (
        Augmentation(ImageTransformsConfig(enable=True, random_order=flag, tfs=tfs), ["c"], seed=0)({"c": red}, 0)["c"]
        for flag in (False, True)
    )
    greys = fixed[:, 0, 0, 0]
    assert torch.allclose(greys, torch.full_like(greys, 0.2989), atol=1e-4)
    shades = {round(value, 3) for value in mixed[:, 0, 0, 0].tolist()}
    assert shades == {0.299, 0.587}


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({"type": "ColorJitter", "kwargs": {"brightness": 0.2}}, {"brightness": (0.8, 1.2)}),
        ({"type": "ColorJitter", "kwargs": {"hue": 0.1}}, {"hue": (-0.1, 0.1)}),
        ({"type": "SharpnessJitter", "kwargs": {"sharpness": [0.5, 1.5]}}, {"sharpness": (0.5, 1.5)}),
        (
            {"type": "RandomAffine", "kwargs": {"degrees": 5, "translate": [0.1, 0.2]}},
            {"degrees": (-5, 5), "right": (-0.1, 0.1), "down": (-0.2, 0.2)},
        ),
    ],
)
def test_amounts_are_ranges(transform: dict[str, Any], expected: dict[str, tuple[float, float]]) -> None:
    found = ImageTransformConfig(**transform).ranges()
    assert found.keys() == expected.keys()
    assert all(found[key] == pytest.approx(expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"type": "Blur"}, "not 'Blur'"),
        ({"type": "ColorJitter", "kwargs": {"gamma": 0.1}}, "not gamma"),
        ({"type": "ColorJitter", "kwargs": {"hue": 0.7}}, "within -0.5 to 0.5"),
        ({"type": "ColorJitter", "kwargs": {"contrast": [1.2, 0.8]}}, "range of 0 or more"),
        ({"type": "RandomAffine", "kwargs": {"translate": 0.1}}, "shares of width and height"),
        ({"type": "SharpnessJitter", "kwargs": {"sharpness": "much"}}, "a number or two"),
    ],
)
def test_changes_that_cannot_be_are_refused_before_training(transform: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageTransformsConfig(enable=True, tfs={"mine": ImageTransformConfig(**transform)})
    assert not ImageTransformsConfig(enable=False, tfs={"mine": ImageTransformConfig(**transform)}).enable
