"""The steps before and behind X-VLA."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_xvla import tiny_settings
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import TransitionKey, build_step, create_transition
from lerobot.policies.processing.pipelines import make_processors
from lerobot.xvla.config import (
    AddDomainIdConfig,
    ImageNetNormalizeConfig,
    ImageScaleConfig,
    ImageToFloatConfig,
    Rotation6DToAxisAngleConfig,
    XVLAConfig,
)

IMAGE = "observation.images.front"


def applied(step: Any, **observation: Tensor) -> dict[str, Tensor]:
    given = create_transition(observation={f"observation.{key}": value for key, value in observation.items()})
    found: dict[str, Tensor] = build_step(step)(given)[TransitionKey.OBSERVATION]
    return found


def test_images_of_bytes_become_numbers_up_to_one() -> None:
    image = torch.tensor([[[0, 51, 255]]], dtype=torch.uint8)
    found = applied(ImageToFloatConfig(), **{"images.front": image, "state": torch.tensor([7.0])})
    assert torch.allclose(found[IMAGE], torch.tensor([[[0.0, 0.2, 1.0]]]))
    assert found["observation.state"].item() == 7.0
    # What is in [0, 1] already stays, even in bytes.
    assert torch.equal(applied(ImageToFloatConfig(), **{"images.front": image * 0 + 1})[IMAGE], torch.ones(1, 1, 3))
    for low, high in ((-1.0, 9.0), (0.0, 256.0)):
        wrong = {"images.front": torch.tensor([low, high])}
        with pytest.raises(FeatureMismatchError, match=rf"{IMAGE} has numbers from {low:g} to {high:g}"):
            applied(ImageToFloatConfig(), **wrong)
        assert applied(ImageToFloatConfig(validate_range=False), **wrong)[IMAGE][1].item() == pytest.approx(high / 255)


def test_images_are_scaled_as_imagenet_was() -> None:
    image = torch.rand(2, 3, 4, 5)
    found = applied(ImageNetNormalizeConfig(), **{"images.front": image})[IMAGE]
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        assert torch.allclose(found[:, channel], (image[:, channel] - mean) / std)
    with pytest.raises(FeatureMismatchError, match="scaled already"):
        applied(ImageNetNormalizeConfig(), **{"images.front": found})


def test_named_images_alone_are_changed() -> None:
    images = {"images.front": torch.ones(1), "images.wrist": torch.ones(1), "image": torch.ones(1)}
    found = applied(ImageScaleConfig(image_keys=[IMAGE, "observation.image", "observation.images.none"]), **images)
    assert {key: value.item() for key, value in found.items()} == {
        IMAGE: 255.0,
        "observation.images.wrist": 1.0,
        "observation.image": 255.0,
    }


def test_the_domain_is_said_for_every_row() -> None:
    given = create_transition(observation={"observation.state": torch.zeros(3, 2)}, complementary_data={"task": "go"})
    found = build_step(AddDomainIdConfig(domain_id=5))(given)[TransitionKey.COMPLEMENTARY_DATA]
    assert found["task"] == "go"
    assert torch.equal(found["domain_id"], torch.tensor([5, 5, 5]))


def turn(axis: list[float], angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    found: np.ndarray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return found


@pytest.mark.parametrize("angle", [0.0, 1e-4, 0.7, 2.5, 3.14])
@pytest.mark.parametrize("axis", [[1.0, 0.0, 0.0], [0.2, -0.5, 0.9], [-1.0, -1.0, 0.1]])
def test_turns_become_axis_times_angle(axis: list[float], angle: float) -> None:
    matrix = turn(axis, angle)
    columns = np.concatenate([matrix[:, 0] * 3, matrix[:, 1] + 0.2 * matrix[:, 0]])
    action = torch.tensor(np.concatenate([[1.0, 2.0, 3.0], columns, [0.7, 8.0, 8.0]]), dtype=torch.float32)[None]
    found = build_step(Rotation6DToAxisAngleConfig())(create_transition(action=action))[TransitionKey.ACTION]
    expected = np.asarray(axis) / np.linalg.norm(axis) * angle
    assert found.shape == (1, 7)
    assert found[0, 3:6].numpy() == pytest.approx(expected, abs=2e-5)
    assert found[0, [0, 1, 2, 6]].tolist() == [1.0, 2.0, 3.0, 1.0]


def test_a_gripper_is_open_or_closed_and_an_action_whole() -> None:
    step = build_step(Rotation6DToAxisAngleConfig())
    action = torch.zeros(2, 10)
    action[:, [3, 7]], action[1, 9] = 1.0, 0.51
    assert step(create_transition(action=action))[TransitionKey.ACTION][:, 6].tolist() == [-1.0, 1.0]
    with pytest.raises(FeatureMismatchError, match="the action has 7 numbers"):
        step(create_transition(action=torch.zeros(2, 7)))


def test_processors_are_those_of_published_policies(tokenizer: Path) -> None:
    processors = make_processors(XVLAConfig(**tiny_settings(tokenizer)), None)
    assert [step.registry_name for step in processors.preprocessor.steps] == [
        *("rename_observations_processor", "to_batch_processor", "tokenizer_processor", "xvla_image_to_float"),
        *("xvla_imagenet_normalize", "xvla_add_domain_id", "device_processor", "normalizer_processor"),
    ]
    assert [step.get_config() for step in processors.preprocessor.steps[3:6]] == [
        {"image_keys": None, "validate_range": True},
        {"image_keys": None},
        {"domain_id": 0},
    ]


def test_a_camera_of_another_name_is_scaled_too(tokenizer: Path) -> None:
    inputs = {
        "observation.image": {"type": "VISUAL", "shape": (3, 8, 8)},
        "observation.state": {"type": "STATE", "shape": (2,)},
    }
    processors = make_processors(XVLAConfig(**tiny_settings(tokenizer, input_features=inputs)), None)
    image = torch.rand(3, 8, 8)
    found = processors.preprocessor({"observation.image": image, "observation.state": torch.zeros(2), "task": "go"})
    assert torch.allclose(found["observation.image"][0, 0], (image[0] - 0.485) / 0.229)
