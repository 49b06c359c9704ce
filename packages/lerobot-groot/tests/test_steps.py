"""What the steps before and behind the policy make: numbers of huggingface/lerobot 0.4, words, pixels."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_groot import TEMPLATE, tiny_settings
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import build_step
from lerobot.groot.chat import Conversation, ImageWords
from lerobot.groot.config import GrootN15Config
from lerobot.groot.step_configs import PackConfig, UnpackConfig
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import statistics

STATS = {
    "observation.state": {"min": torch.tensor([0.0, 2.0, -1.0]), "max": torch.tensor([4.0, 2.0, 1.0])},
    "action": {"min": torch.tensor([-10.0, 3.0]), "max": torch.tensor([10.0, 3.0])},
}


def packed(action: Tensor | None = None, **changes: Any) -> dict[str, Any]:
    settings = {"action_horizon": 3, "max_state_dim": 4, "max_action_dim": 3, **changes}
    step = build_step(PackConfig(**settings), {"stats": STATS})
    images = {
        "observation.images.wrist": torch.tensor([0.0, 0.999, 2.0]).view(1, 3, 1, 1).expand(2, 3, 4, 5),
        "observation.images.front": torch.full((2, 3, 6, 7), 0.5),
    }
    state = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])
    return step(
        {
            "observation": {**images, "observation.state": state},
            "action": action,
            "complementary_data": {"task": ["pick", ""]},
        }
    )


def test_states_are_scaled_by_extremes_and_filled_up() -> None:
    """Not cut off beyond the extremes; where these are equal, 0."""
    observation = packed()["observation"]
    assert observation["state"].tolist() == [[[-0.5, 0, 3, 0]], [[1, 0, 0, 0]]]
    assert observation["state_mask"].tolist() == [[[True, True, True, False]]] * 2


def test_cameras_are_bytes_in_the_order_of_their_names() -> None:
    observation = packed()["observation"]
    front, wrist = observation["video"]
    assert (front.shape, wrist.shape) == ((2, 3, 6, 7), (2, 3, 4, 5))
    assert wrist[0, :, 0, 0].tolist() == [0, 254, 255]
    assert not any(key.startswith("observation.images") for key in observation)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ([[0.0, 3.0], [5.0, 3.0]], [[[0, 0, 0]] * 3, [[0.5, 0, 0]] * 3]),
        ([[[0.0, 3.0], [5.0, 3.0]]] * 2, [[[0, 0, 0], [0.5, 0, 0], [0.5, 0, 0]]] * 2),
        ([[[float(step), 3.0] for step in range(0, 25, 5)]] * 2, [[[0, 0, 0], [0.5, 0, 0], [1, 0, 0]]] * 2),
    ],
    ids=["single", "short", "long"],
)
def test_actions_become_chunks_of_one_length(action: list[Any], expected: list[Any]) -> None:
    found = packed(torch.tensor(action))
    assert found["action"].tolist() == expected
    assert found["complementary_data"]["action_mask"].tolist() == [[[True, True, False]] * 3] * 2


def test_every_row_has_its_task_and_the_kind_of_robot() -> None:
    data = packed(embodiment_tag="gr1")["complementary_data"]
    assert data["language"] == ["pick", "Perform the task."]
    assert data["embodiment_id"].tolist() == [24, 24]
    assert data["embodiment_id"].dtype == torch.int64


def test_a_kind_of_robot_that_files_do_not_know_has_the_number_it_was_trained_with(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert packed(embodiment_tag="mine")["complementary_data"]["embodiment_id"].tolist() == [0, 0]
    assert "embodiment_tag mine" in caplog.text


def test_a_new_policy_for_an_unknown_kind_of_robot_is_refused(assets: Path) -> None:
    config = GrootN15Config(**tiny_settings(assets, embodiment_tag="mine"))
    with pytest.raises(CheckpointError, match="embodiment_tag 'mine'"):
        make_processors(config, statistics(config))


def test_tasks_may_be_brought_to_plain_words() -> None:
    step = build_step(PackConfig(formalize_language=True, normalize_min_max=False))
    done = step(
        {"observation": {"observation.state": torch.zeros(1, 2)}, "complementary_data": {"task": "Pick_it, NOW!"}}
    )
    assert done["complementary_data"]["language"] == ["pickit now"]


@pytest.mark.parametrize(
    ("observation", "task", "expected"),
    [
        ({"observation.state": torch.zeros(3)}, "go", r"\(B, Ds\)"),
        ({"observation.state": torch.zeros(1, 2)}, "go", "which it has statistics of"),
        ({"observation.state": torch.zeros(2, 3)}, ["a", "b", "c"], "for each of the 2"),
        ({"observation.state": torch.zeros(2, 3)}, 7, "for each of the 2"),
        ({"observation.images.a": torch.zeros(2, 1, 4, 4)}, "go", "colour images"),
    ],
)
def test_what_cannot_be_packed_is_refused(observation: dict[str, Tensor], task: Any, expected: str) -> None:
    step = build_step(PackConfig(), {"stats": STATS})
    with pytest.raises(FeatureMismatchError, match=expected):
        step({"observation": observation, "complementary_data": {"task": task}})


def test_single_actions_and_whole_chunks_come_back_in_the_robots_units() -> None:
    step = build_step(UnpackConfig(env_action_dim=2), {"stats": STATS})
    chunk = torch.tensor([[[0.0, 0.3, 9.0], [-1.0, -0.7, 9.0], [1.5, 0.0, 9.0]]])
    expected = [[[0.0, 3.0], [-10.0, 3.0], [15.0, 3.0]]]
    assert step({"action": chunk})["action"].tolist() == expected
    assert step({"action": chunk[:, 1]})["action"].tolist() == [expected[0][1]]


# --- words and pixels ------------------------------------------------------------------------------------------------


def test_a_conversation_is_written_as_eagle_was_taught(assets: Path) -> None:
    """Images before the text, which is said as a list of one text."""
    written = Conversation.of(str(assets)).written(str(["it's there"]), 2)
    assert written == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        '<|im_start|>user\n<image-1><image-2>["it\'s there"]<|im_end|>\n<|im_start|>assistant\n'
    )


def test_a_template_can_run_nothing(tmp_path: Path) -> None:
    evil = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": evil}))
    with pytest.raises(CheckpointError, match="fails: access to attribute"):
        Conversation.of(str(tmp_path)).written("go", 1)
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE[:-5]}))
    with pytest.raises(CheckpointError, match="holds no template"):
        Conversation.of(str(tmp_path))


def test_processors_can_be_copied(assets: Path) -> None:
    """An environment for each task has its own."""
    said = copy.deepcopy(Conversation.of(str(assets))).written("go", 1)
    assert said == Conversation.of(str(assets)).written("go", 1)


def test_words_of_an_image_take_its_place_and_no_text_makes_more(assets: Path) -> None:
    words = ImageWords.of(str(assets))
    told = words.put_into("<image-1>['see <image-1> and <image-2>']", 1)
    assert told == f"<image 1><img>{'<IMG_CONTEXT>' * 16}</img>['see <image-1> and <image-2>']"


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"resample": 2}, "bicubic"), ({"crop_size": {"height": 8}}, "cut"), ({"do_normalize": False}, "not scaled")],
)
def test_images_that_are_prepared_otherwise_are_refused(
    change: dict[str, Any], expected: str, assets: Path, tmp_path: Path
) -> None:
    for name in ("preprocessor_config.json", "processor_config.json"):
        fields = json.loads((assets / name).read_text())
        (tmp_path / name).write_text(json.dumps({**fields, **(change if name.startswith("pre") else {})}))
    with pytest.raises(CheckpointError, match=expected):
        ImageWords.of(str(tmp_path))


def test_pixels_are_those_of_pillow(assets: Path) -> None:
    """Brought to a square by bicubic interpolation with smoothing, of bytes."""
    import numpy as np
    from PIL import Image

    config = GrootN15Config(**tiny_settings(assets))
    processors = make_processors(config, statistics(config))
    shades = np.random.default_rng(0).integers(90, 166, (2, 48, 33, 3)).astype(np.uint8)
    images = torch.from_numpy(shades).permute(0, 3, 1, 2).float() / 255
    front = torch.zeros(2, 3, 32, 32)
    given = {"observation.images.front": front, "observation.images.wrist": images + 1e-3, "task": "go"}
    batch = processors.preprocessor({**given, "observation.state": torch.zeros(2, 5)})
    pixels = batch["eagle_pixel_values"].unflatten(0, (2, 2))
    assert (pixels[:, 0] == -1).all()
    for row in range(2):
        expected = np.asarray(Image.fromarray(shades[row]).resize((32, 32), Image.Resampling.BICUBIC))
        found = (pixels[row, 1].permute(1, 2, 0) + 1) * 127.5
        # Pillow rounds between rows and columns.
        assert (found - torch.from_numpy(expected.copy())).abs().max() <= 1.01
    assert batch["eagle_image_sizes"].tolist() == [[32, 32], [48, 33]] * 2


def test_tokens_are_padded_on_the_left(assets: Path) -> None:
    config = GrootN15Config(**tiny_settings(assets))
    processors = make_processors(config, statistics(config))
    given = {"observation.images.front": torch.rand(2, 3, 32, 40), "observation.images.wrist": torch.rand(2, 3, 9, 9)}
    state = {"observation.state": torch.zeros(2, 5), "task": ["go", "go there, and then come back"]}
    batch = processors.preprocessor({**given, **state})
    mask = batch["eagle_attention_mask"].bool()
    assert mask[1].all()
    assert not mask[0, 0]
    assert mask[0, -1]
    alone = processors.preprocessor({key: each[:1] for key, each in {**given, **state}.items()})
    assert torch.equal(batch["eagle_input_ids"][0][mask[0]], alone["eagle_input_ids"][0])
