"""What the steps before and behind N1.7 make: numbers of huggingface/lerobot 0.6, words, patches."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_groot_n17 import nvidia_config, tiny_settings, tiny_sizes, write_tiny_assets
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import build_step
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.decoding import moved
from lerobot.groot.n17.frames import Patches, framed
from lerobot.groot.n17.step_configs import DecodeConfig, EncodeConfig, PackConfig, UnpackConfig
from lerobot.policies.processing.pipelines import Processors, make_processors
from lerobot.policies.testing import statistics

STATS = {
    "observation.state": {"min": torch.tensor([0.0, 2.0, -1.0]), "max": torch.tensor([4.0, 2.0, 1.0])},
    "action": {"min": torch.tensor([-10.0, 3.0]), "max": torch.tensor([10.0, 3.0])},
}
STATE = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])


def packed(action: Tensor | None = None, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    settings = {"action_horizon": 3, "valid_action_horizon": 2, "max_state_dim": 4, "max_action_dim": 3, **changes}
    step = build_step(PackConfig(**settings), {"stats": STATS})
    images = {
        "observation.images.wrist": torch.tensor([0.0, 0.999, 2.0]).view(1, 3, 1, 1).expand(2, 3, 4, 5),
        "observation.images.front": torch.full((2, 3, 6, 7), 0.5),
    }
    return step(
        {
            "observation": {**images, "observation.state": STATE},
            "action": action,
            "complementary_data": {"task": ["Pick_it, NOW!", ""], **(data or {})},
        }
    )


@pytest.mark.parametrize(("clips", "third"), [(True, 1), (False, 3)])
def test_states_are_scaled_by_extremes_and_filled_up(clips: bool, third: float) -> None:
    observation = packed(clip_outliers=clips)["observation"]
    assert observation["state"].tolist() == [[[-0.5, 0, third, 0]], [[1, 0, 0, 0]]]


def test_cameras_are_bytes_in_the_order_of_their_names_or_of_the_file() -> None:
    front, wrist = packed()["observation"]["video"]
    assert (front.shape, wrist.shape) == ((2, 1, 3, 6, 7), (2, 1, 3, 4, 5))
    assert wrist[0, 0, :, 0, 0].tolist() == [0, 254, 255]
    first, second = packed(video_modality_keys=["wrist", "front"], video_horizon=2)["observation"]["video"]
    assert (first.shape, second.shape) == ((2, 2, 3, 4, 5), (2, 2, 3, 6, 7))
    assert torch.equal(first[:, 0], first[:, 1])


def test_cameras_that_a_file_knows_must_be_there_and_others_are_not_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(packed(video_modality_keys=["front"])["observation"]["video"]) == 1
    assert "not looked at: observation.images.wrist" in caplog.text
    with pytest.raises(FeatureMismatchError, match=r"no camera observation\.images\.top") as raised:
        packed(video_modality_keys=["top", "front"])
    assert "--rename_map" in str(raised.value.hint)


def test_what_liberos_data_sets_call_the_wrist_camera_is_known() -> None:
    step = build_step(PackConfig(video_modality_keys=["wrist_image"], normalize_min_max=False))
    images = {"observation.images.image2": torch.zeros(1, 3, 2, 2)}
    assert len(step({"observation": images, "complementary_data": {"task": "go"}})["observation"]["video"]) == 1


def test_actions_become_chunks_of_which_some_steps_are_learned() -> None:
    found = packed(torch.tensor([[[5.0, 3.0], [30.0, 3.0]]] * 2), {"action_is_pad": torch.tensor([[0, 0], [0, 1]])})
    assert found["action"].tolist() == [[[0.5, 0, 0], [1, 0, 0], [0, 0, 0]], [[0.5, 0, 0], [0, 0, 0], [0, 0, 0]]]
    both, none = [1, 1, 0], [0, 0, 0]
    assert found["complementary_data"]["action_mask"].tolist() == [[both, both, none], [both, none, none]]


def test_without_actions_the_mask_says_what_will_be_learned() -> None:
    data = packed()["complementary_data"]
    assert data["action_mask"].tolist() == [[1, 1, 0]] * 2
    assert (data["action_mask"].dtype, data["embodiment_id"].dtype) == (torch.float32, torch.int32)


def test_every_row_has_its_task_and_the_kind_of_robot() -> None:
    data = packed(embodiment_tag="libero_sim")["complementary_data"]
    assert data["language"] == ["pick_it now", "perform the task"]
    assert data["embodiment_id"].tolist() == [2, 2]
    assert packed(formalize_language=False)["complementary_data"]["language"] == ["Pick_it, NOW!", "Perform the task."]


def test_learning_leaves_states_out() -> None:
    action = torch.zeros(2, 2, 2)
    assert packed(action, state_dropout_prob=1.0)["observation"]["state"].abs().sum() == 0
    with torch.no_grad():
        assert packed(action, state_dropout_prob=1.0)["observation"]["state"].abs().sum() > 0
    assert packed(state_dropout_prob=1.0)["observation"]["state"].abs().sum() > 0


@pytest.mark.parametrize(
    ("action", "expected"),
    [(torch.zeros(2, 4, 2), "at most 3 steps"), (torch.zeros(2), "Da"), (torch.zeros(2, 2, 3), "statistics of")],
)
def test_what_cannot_be_packed_is_refused(action: Tensor, expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        packed(action)


# --- parts of NVIDIA's files -----------------------------------------------------------------------------------------

RAW = {
    "state": {"arm": {"mean": [0.0, 0.0]}, "hand": {"mean": [0.0]}},
    "action": {
        "arm": {"q01": [-2.0, -4.0], "q99": [2.0, 4.0], "min": [-9.0, -9.0]},
        "gripper": {"q01": [0], "q99": [1]},
    },
    "relative_action": {"arm": {"min": [[-1.0, -1.0], [-2.0, -2.0]], "max": [[1.0, 1.0], [2.0, 2.0]]}},
}


def parts(rep: str = "ABSOLUTE", kind: str = "NON_EEF", form: str = "DEFAULT") -> dict[str, Any]:
    arm = {"rep": rep, "type": kind, "format": form, "state_key": None}
    return {
        "state": {"modality_keys": ["arm", "hand"]},
        "action": {"modality_keys": ["arm", "gripper"], "action_configs": [arm, {}], "delta_indices": [0, 1]},
    }


def test_parts_are_scaled_by_their_own_percentiles_and_back() -> None:
    settings = {"raw_stats": RAW, "modality_config": parts(), "use_percentiles": True}
    pack = build_step(PackConfig(action_horizon=2, max_action_dim=3, **settings), {"stats": STATS})
    action = torch.tensor([[[1.0, 2.0, 0.25], [0.0, 4.0, 1.0]]])
    given = {"observation": {"observation.state": STATE[:1]}, "action": action, "complementary_data": {"task": "go"}}
    scaled = pack(given)["action"]
    assert scaled.tolist() == [[[0.5, 0.5, -0.5], [0, 1, 1]]]
    decode = build_step(DecodeConfig(env_action_dim=3, **settings))
    assert torch.equal(decode({"action": scaled})["action"], action)
    assert torch.equal(decode({"action": scaled[:, 0]})["action"], action[:, 0])
    # More steps than were learned are left out, and what is behind the parts is nothing.
    long = torch.nn.functional.pad(scaled, (0, 5, 0, 7))
    assert torch.equal(decode({"action": long})["action"], action)


def test_relative_parts_have_a_scale_for_each_step_and_come_back_to_the_state() -> None:
    settings = {"raw_stats": RAW, "modality_config": parts("RELATIVE"), "use_percentiles": True}
    pack = build_step(PackConfig(action_horizon=2, max_action_dim=3, **settings), {"stats": STATS})
    action = torch.tensor([[[1.5, 1.0, 0.0], [2.0, 4.0, 1.0]]])
    given = {"observation": {"observation.state": STATE[:1]}, "action": action, "complementary_data": {"task": "go"}}
    # Of the state (1, 2): (0.5, -1) of a scale of 1, then (1, 2) of a scale of 2.
    scaled = pack(given)["action"]
    assert scaled.tolist() == [[[0.5, -1, -1], [0.5, 1, 1]]]
    decode = build_step(DecodeConfig(use_relative_action=True, **settings))
    with pytest.raises(FeatureMismatchError, match="has no groot_n1_7_pack_inputs_v1"):
        decode({"action": scaled})
    decode.link([pack])
    assert torch.equal(decode({"action": scaled})["action"], action)
    with pytest.raises(FeatureMismatchError, match="one at a time"):
        decode({"action": scaled[:, 0]})
    pack.reset()
    with pytest.raises(FeatureMismatchError, match="no state was seen yet"):
        decode({"action": scaled})


def test_relative_motions_of_a_hand_are_not_learned() -> None:
    settings = {"raw_stats": RAW, "modality_config": parts("RELATIVE", "EEF", "XYZ_ROT6D"), "use_percentiles": True}
    pack = build_step(PackConfig(action_horizon=2, max_action_dim=3, **settings), {"stats": STATS})
    given = {"observation": {"observation.state": STATE[:1]}, "complementary_data": {"task": "go"}}
    with pytest.raises(FeatureMismatchError, match="relative as eef"):
        pack({**given, "action": torch.zeros(1, 2, 3)})


def test_actions_of_another_width_than_the_parts_are_refused() -> None:
    settings = {"raw_stats": RAW, "modality_config": parts(), "use_percentiles": True}
    pack = build_step(PackConfig(**settings), {"stats": STATS})
    given = {"observation": {"observation.state": STATE[:1]}, "complementary_data": {"task": "go"}}
    with pytest.raises(FeatureMismatchError, match="3: arm 2, gripper 1"):
        pack({**given, "action": torch.zeros(1, 2, 4)})


def test_parts_without_statistics_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"no statistics max of action\.arm"):
        build_step(DecodeConfig(raw_stats=RAW, modality_config=parts()))


def homogeneous(pose: np.ndarray) -> np.ndarray:
    """A pose of a place and two rows as a matrix, by Gram and Schmidt's QR."""
    rows = pose[3:].reshape(2, 3)
    q, r = np.linalg.qr(rows.T)
    q = q * np.sign(np.diag(r))
    found = np.eye(4)
    found[:3, :3] = np.vstack([q.T, np.cross(q[:, 0], q[:, 1])])
    found[:3, 3] = pose[:3]
    return found


def test_a_motion_of_a_hand_moves_it_in_its_own_frame() -> None:
    random = np.random.default_rng(0)
    motion, pose = random.normal(size=9), random.normal(size=9)
    expected = homogeneous(pose) @ homogeneous(motion)
    found = moved(torch.tensor(motion), torch.tensor(pose)).numpy()
    assert np.allclose(found, np.concatenate([expected[:3, 3], expected[:2, :3].ravel()]))


def test_the_gripper_of_libero_is_opened_or_closed() -> None:
    settings = {"raw_stats": RAW, "modality_config": parts(), "use_percentiles": True}
    decode = build_step(DecodeConfig(action_decode_transform="libero", **settings))
    scaled = torch.tensor([[[0.0, 0.0, -0.2], [0.0, 0.0, 0.8]]])
    assert decode({"action": scaled})["action"].tolist() == [[[0, 0, 1], [0, 0, -1]]]
    with pytest.raises(CheckpointError, match="no gripper of one number"):
        build_step(DecodeConfig(action_decode_transform="libero", env_action_dim=2, **settings))({"action": scaled})


@pytest.mark.parametrize(("binary", "expected"), [(True, -1.0), (False, -0.5)])
def test_single_actions_and_whole_chunks_come_back_in_the_robots_units(binary: bool, expected: float) -> None:
    stats = {"action": {"min": torch.zeros(7), "max": torch.ones(7)}}
    config = UnpackConfig(
        env_action_dim=7, clip_normalized_action=True, libero_gripper_action=True, libero_gripper_binarize=binary
    )
    step = build_step(config, {"stats": stats})
    chunk = torch.tensor([[[-2.0, 0, 0, 0, 0, 0, 0.5, 9]] * 3])
    found = step({"action": chunk})["action"]
    assert found.tolist() == [[[0, 0.5, 0.5, 0.5, 0.5, 0.5, expected]] * 3]
    assert torch.equal(step({"action": chunk[:, 0]})["action"], found[:, 0])


# --- images and words ------------------------------------------------------------------------------------------------


def test_patches_are_squares_of_the_image_in_the_order_of_tokens(tmp_path: Path) -> None:
    write_tiny_assets(tmp_path)
    image = torch.arange(16 * 16, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    patches, grid = Patches.of(str(tmp_path))(image)
    assert (patches.shape, grid) == ((1, 16, 96), (1, 4, 4))
    # The third patch is the lower left one of the first square: rows 4 to 7, columns 0 to 3.
    expected = (image[0, :, 4:8, 0:4].float() / 255 - 0.5) / 0.5
    colours = patches[0, 2].view(3, 2, 4, 4)
    assert torch.allclose(colours[:, 0], expected, atol=1e-6)
    assert torch.equal(colours[:, 0], colours[:, 1])


@pytest.mark.parametrize(
    ("shape", "expected"), [((256, 341), (48, 72)), ((4, 4), (16, 16)), ((33, 20), (32, 16)), ((20, 90), (16, 88))]
)
def test_images_are_brought_to_whole_squares_of_patches(
    tmp_path: Path, shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    write_tiny_assets(tmp_path)
    _, grid = Patches.of(str(tmp_path))(torch.zeros(1, 3, *shape, dtype=torch.uint8))
    assert grid == (1, expected[0] // 4, expected[1] // 4)


def test_image_settings_of_another_kind_are_refused(tmp_path: Path) -> None:
    write_tiny_assets(tmp_path)
    fields = json.loads((tmp_path / "preprocessor_config.json").read_text())
    for change, expected in (({"do_rescale": False}, "do_rescale is false"), ({"merge_size": None}, "not understood")):
        (tmp_path / "preprocessor_config.json").write_text(json.dumps({**fields, **change}))
        with pytest.raises(CheckpointError, match=expected):
            Patches.of(str(tmp_path))


def test_the_middle_of_images_is_cut_out() -> None:
    image = torch.zeros(1, 3, 40, 80, dtype=torch.uint8)
    image[..., 10:30, 20:60] = 200
    half = {"image_target_size": (20, 20), "crop_fraction": 0.5}
    assert framed(image, EncodeConfig(**half)).float().mean() > 180
    boxed = framed(image, EncodeConfig(image_target_size=(80, 80), letter_box_transform=True))
    assert boxed.shape == (1, 3, 80, 80)
    assert int((boxed[0, 0] > 100).sum()) == 20 * 40
    kept = framed(image, EncodeConfig(image_target_size=(20, 20), use_albumentations=True))
    assert kept.shape == (1, 3, 20, 40)


def test_learning_cuts_anywhere_but_alike_for_all_cameras(vlm: Path) -> None:
    settings = {"image_target_size": (32, 32), "crop_fraction": 0.5, "use_albumentations": True}
    step = build_step(EncodeConfig(model_name=str(vlm), **settings))
    ramp = torch.arange(64, dtype=torch.uint8).view(1, 1, 1, 1, 64).expand(2, 1, 3, 64, 64) * 4
    given = {"observation": {"video": [ramp, ramp]}, "complementary_data": {"language": ["a", "b"]}}
    torch.manual_seed(0)
    learned = step({**given, "action": torch.zeros(2, 1)})["complementary_data"]["pixel_values"].view(2, 2, -1, 96)
    assert torch.equal(learned[:, 0], learned[:, 1])
    assert not torch.equal(learned[0], learned[1])
    acted = step(given)["complementary_data"]["pixel_values"].view(2, 2, -1, 96)
    assert torch.equal(acted[0], acted[1])


def test_the_task_stands_behind_the_images_and_has_a_token_for_each_square(vlm: Path) -> None:
    step = build_step(EncodeConfig(model_name=str(vlm), image_target_size=(16, 16)))
    video = [torch.zeros(2, 1, 3, 20, 30, dtype=torch.uint8)] * 2
    data = step({"observation": {"video": video}, "complementary_data": {"language": ["pick it up", "go"]}})
    found = data["complementary_data"]
    image = f"<|vision_start|>{'<|image_pad|>' * 4}<|vision_end|>"
    text = step.tokenizer.decode(found["input_ids"][0])
    assert text == f"<|im_start|>user\n{image * 2}pick it up<|im_end|>\n"
    assert found["attention_mask"][1].tolist()[:2] == [0, 0]
    assert int(found["mm_token_type_ids"].sum()) == 16
    assert found["image_grid_thw"].tolist() == [[1, 4, 4]] * 4


def test_a_task_that_stands_for_an_image_is_refused(vlm: Path) -> None:
    step = build_step(EncodeConfig(model_name=str(vlm)))
    video = [torch.zeros(1, 1, 3, 16, 16, dtype=torch.uint8)]
    with pytest.raises(FeatureMismatchError, match="2 places for 1 images"):
        step({"observation": {"video": video}, "complementary_data": {"language": ["<|image_pad|>"]}})


def test_observations_without_images_are_refused(vlm: Path) -> None:
    with pytest.raises(FeatureMismatchError, match="got no images"):
        build_step(EncodeConfig(model_name=str(vlm)))({"observation": {}, "complementary_data": {"language": ["go"]}})


def test_a_tokenizer_without_a_template_is_refused(tmp_path: Path) -> None:
    write_tiny_assets(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    fields = json.loads(path.read_text())
    del fields["chat_template"]
    path.write_text(json.dumps(fields))
    with pytest.raises(CheckpointError, match="has no chat_template"):
        build_step(EncodeConfig(model_name=str(tmp_path)))


# --- all of them -----------------------------------------------------------------------------------------------------


def based(folder: Path, vlm: Path, *, relative: bool, stats: bool, **changes: Any) -> Processors:
    """Processors of a policy whose base has files about processing."""
    (folder / "config.json").write_text(json.dumps({**nvidia_config(tiny_sizes(), 10, 8), "model_name": str(vlm)}))
    entry = {"min": [-1.0, -1.0], "max": [1.0, 1.0], "mean": [0.0, 0.0]}
    three = {name: [*each, each[0]] for name, each in entry.items()}
    modalities = {
        "state": {"modality_keys": ["arm", "hand"]},
        "action": {
            "modality_keys": ["arm", "hand"],
            "delta_indices": [0, 1, 2, 3],
            "action_configs": [{"rep": "relative" if relative else "absolute", "type": "non_eef"}] * 2,
        },
    }
    statistics_ = {"state": {"arm": entry, "hand": three}, "action": {"arm": entry, "hand": entry}}
    statistics_["relative_action"] = {"arm": entry, "hand": entry}
    kwargs = {"modality_configs": {"mine": modalities} if stats else {}, "use_relative_action": relative}
    (folder / "processor_config.json").write_text(json.dumps({"processor_kwargs": kwargs}))
    (folder / "statistics.json").write_text(json.dumps({"mine": statistics_} if stats else {}))
    (folder / "embodiment_id.json").write_text(json.dumps({"mine": 7}))
    settings = tiny_settings(vlm, network=None, base_model_path=str(folder), embodiment_tag="mine", **changes)
    config = GrootConfig(**settings)
    # Nobody needs a data set where the base has statistics.
    return make_processors(config, None if stats else statistics(config))


def names(processors: Processors) -> list[list[str]]:
    return [[step.registry_name for step in each.steps] for each in processors]


def test_a_base_with_statistics_is_decoded_by_its_parts(tmp_path: Path, vlm: Path) -> None:
    found = based(tmp_path, vlm, relative=False, stats=True)
    assert names(found)[1] == ["groot_n1_7_action_decode_v1", "device_processor"]
    assert found.preprocessor.steps[2].config.embodiment_mapping == {"mine": 7}


def test_a_base_without_them_takes_those_of_the_data_set(tmp_path: Path, vlm: Path) -> None:
    found = based(tmp_path, vlm, relative=False, stats=False)
    assert names(found)[1] == ["groot_action_unpack_unnormalize_v2", "device_processor"]


def test_relative_actions_without_statistics_of_their_own_are_scaled_by_the_bases(tmp_path: Path, vlm: Path) -> None:
    found = based(tmp_path, vlm, relative=False, stats=True, use_relative_actions=True)
    before, behind = names(found)
    assert before.index("relative_actions_processor") == 2
    assert behind == ["groot_n1_7_action_decode_v1", "absolute_actions_processor", "device_processor"]


def test_relative_actions_that_nobody_has_statistics_of_are_refused(tmp_path: Path, vlm: Path) -> None:
    with pytest.raises(CheckpointError, match="use_relative_actions needs statistics"):
        based(tmp_path, vlm, relative=False, stats=False, use_relative_actions=True)


def test_a_new_policy_for_an_unknown_kind_of_robot_is_refused(vlm: Path) -> None:
    config = GrootConfig(**tiny_settings(vlm, embodiment_tag="mine"))
    with pytest.raises(CheckpointError, match="embodiment_tag 'mine'"):
        make_processors(config, statistics(config))
