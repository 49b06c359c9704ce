"""The other steps: the contract, and what each does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.core.types import FeatureSpec, Observation, Stamp
from lerobot.policies.processing.bridge import GymObservationProcessorStep, to_tensor
from lerobot.policies.processing.config import (
    AbsoluteActionsConfig,
    ActionToBatchConfig,
    ComplementaryDataToBatchConfig,
    DeviceConfig,
    GymObservationConfig,
    NumpyToTorchActionConfig,
    ObservationToBatchConfig,
    RelativeActionsConfig,
    ToBatchConfig,
    TokenizerConfig,
    TorchToNumpyActionConfig,
)
from lerobot.policies.processing.relative import link_relative_actions, relative_mask

STATE, PICTURE = "observation.state", "observation.images.top"


def batched() -> dict[str, Any]:
    return create_transition(
        observation={STATE: torch.randn(2, 3), PICTURE: torch.rand(2, 3, 4, 4)},
        action=torch.randn(2, 3),
        complementary_data={"task": ["a", "b"], "index": torch.tensor([1, 2])},
    )


class TestToBatch(ProcessorContract):
    @pytest.fixture
    def config(self) -> Any:
        return ToBatchConfig()

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return batched()


class TestActionToBatch(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return ActionToBatchConfig()


class TestObservationToBatch(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return ObservationToBatchConfig()


class TestComplementaryDataToBatch(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return ComplementaryDataToBatchConfig()


class TestDevice(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return DeviceConfig(float_dtype="float64")


class TestRelative(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return RelativeActionsConfig(enabled=True, exclude_joints=["Grip"], action_names=["a", "b", "gripper.pos"])


class TestAbsolute(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return AbsoluteActionsConfig(enabled=False)


class TestTorchToNumpy(TestToBatch):
    @pytest.fixture
    def config(self) -> Any:
        return TorchToNumpyActionConfig(squeeze_batch_dim=False)


class TestNumpyToTorch(ProcessorContract):
    @pytest.fixture
    def config(self) -> Any:
        return NumpyToTorchActionConfig()

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition(action=np.arange(3.0))


class TestGymObservation(ProcessorContract):
    @pytest.fixture
    def config(self) -> Any:
        return GymObservationConfig()

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition(observation={"speed": np.zeros(1)})


# --- batches ---------------------------------------------------------------------------------------------------------


def test_a_single_sample_gets_a_batch_axis_everywhere() -> None:
    single = create_transition(
        observation={
            STATE: torch.zeros(3),
            PICTURE: torch.zeros(3, 4, 4),
            "observation.environment_state": torch.zeros(2),
        },
        action=torch.zeros(2),
        complementary_data={"task": "pick", "index": torch.tensor(4), "task_index": torch.tensor(0)},
    )
    result = build_step(ToBatchConfig())(single)
    shapes = {key: tuple(value.shape) for key, value in result["observation"].items()}
    assert shapes == {STATE: (1, 3), PICTURE: (1, 3, 4, 4), "observation.environment_state": (1, 2)}
    assert tuple(result["action"].shape) == (1, 2)
    assert result["complementary_data"]["task"] == ["pick"]
    assert result["complementary_data"]["index"].tolist() == [4]
    assert result["complementary_data"]["task_index"].tolist() == [0]


def test_a_batch_stays_as_it_is() -> None:
    before = batched()
    after = build_step(ToBatchConfig())(before)
    assert all(after["observation"][key] is before["observation"][key] for key in (STATE, PICTURE))
    assert after["action"] is before["action"]


# --- devices ---------------------------------------------------------------------------------------------------------


def test_floating_point_tensors_take_the_type_asked_for_and_others_keep_theirs() -> None:
    moved = build_step(DeviceConfig(float_dtype="bfloat16"))(batched())
    assert moved["observation"][STATE].dtype == torch.bfloat16
    assert moved["complementary_data"]["index"].dtype == torch.int64


def test_time_stamps_survive_the_move() -> None:
    observation = Observation({STATE: torch.zeros(1)}, {STATE: Stamp(1.5)})
    moved = build_step(DeviceConfig())(create_transition(observation=observation))["observation"]
    assert moved.stamps == {STATE: Stamp(1.5)}


def test_a_device_that_is_not_there_is_replaced_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    step = build_step(DeviceConfig(device="cuda:97"))
    assert step.get_config()["device"] in {"cpu", "cuda", "mps", "xpu"}
    assert "'cuda:97' is not available" in caplog.text


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(LeRobotError, match="device 'gpu' is unknown"):
        build_step(DeviceConfig(device="gpu"))


# --- relative actions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "excluded", "expected"),
    [
        (["a.pos", "Gripper.pos"], ["gripper"], [True, False, True]),
        (None, ["gripper"], [True, True, True]),
        (["a", "b", "c"], [], [True, True, True]),
        (["a", "b", "c", "d"], ["c", ""], [True, True, False]),
    ],
)
def test_names_decide_which_joints_are_relative(names: Any, excluded: list[str], expected: list[bool]) -> None:
    assert relative_mask(3, names, excluded) == expected


def relative_pair() -> tuple[Any, Any]:
    config = RelativeActionsConfig(enabled=True, exclude_joints=["grip"], action_names=["a", "gripper"])
    relative, absolute = build_step(config), build_step(AbsoluteActionsConfig(enabled=True))
    link_relative_actions([relative], [absolute])
    return relative, absolute


def test_a_chunk_is_relative_to_the_state_it_began_in() -> None:
    relative, absolute = relative_pair()
    chunk = torch.tensor([[[1.0, 5.0], [2.0, 6.0]]])
    result = relative(create_transition(observation={STATE: torch.tensor([[0.5, 3.0, 9.0]])}, action=chunk))
    assert result["action"].tolist() == [[[0.5, 5.0], [1.5, 6.0]]]
    assert torch.equal(absolute(create_transition(action=result["action"]))["action"], chunk)


def test_an_absolute_action_needs_the_state_of_this_episode() -> None:
    relative, absolute = relative_pair()
    relative(create_transition(observation={STATE: torch.zeros(1, 2)}))
    relative.reset()
    with pytest.raises(FeatureMismatchError, match="no state"):
        absolute(create_transition(action=torch.zeros(1, 2)))
    with pytest.raises(FeatureMismatchError, match="no relative_actions_processor"):
        build_step(AbsoluteActionsConfig(enabled=True))(create_transition(action=torch.zeros(1, 2)))


def test_a_relative_action_without_a_state_is_refused() -> None:
    relative, _ = relative_pair()
    with pytest.raises(FeatureMismatchError, match="needs the state"):
        relative(create_transition(observation={PICTURE: torch.zeros(1)}, action=torch.zeros(1, 2)))


# --- environments ----------------------------------------------------------------------------------------------------


def test_a_gym_observation_becomes_that_of_a_dataset() -> None:
    pixels = np.full((4, 5, 3), 255, np.uint8)
    result = build_step(GymObservationConfig())(
        create_transition(observation={"pixels": {"top": pixels}, "agent_pos": np.array([1.0, 2.0]), "goal": "x"})
    )["observation"]
    assert tuple(result[PICTURE].shape) == (1, 3, 4, 5)
    assert result[PICTURE].max().item() == 1.0
    assert result[STATE].tolist() == [[1.0, 2.0]]
    assert result[STATE].dtype == torch.float32
    assert result["goal"] == "x"


def test_one_image_has_its_own_name_and_a_batch_stays_one() -> None:
    pixels = np.zeros((2, 3, 3, 3), np.uint8)
    observation = {"pixels": pixels, "environment_state": np.zeros((2, 4))}
    result = build_step(GymObservationConfig())(create_transition(observation=observation))["observation"]
    assert tuple(result["observation.image"].shape) == (2, 3, 3, 3)
    assert tuple(result["observation.environment_state"].shape) == (2, 4)


@pytest.mark.parametrize("pixels", [np.zeros((4, 5, 3), np.float32), np.zeros((3, 40, 50), np.uint8)])
def test_images_of_another_form_are_refused(pixels: Any) -> None:
    with pytest.raises(FeatureMismatchError, match=r"observation\.image has the shape"):
        build_step(GymObservationConfig())(create_transition(observation={"pixels": pixels}))


def test_gym_features_are_renamed_like_the_values() -> None:
    step = GymObservationProcessorStep(GymObservationConfig())
    features = {"pixels.top": FeatureSpec("uint8", (4, 5, 3)), "agent_pos": FeatureSpec(shape=(2,))}
    renamed = step.transform_features({"observation": features, "action": {}})["observation"]
    assert {key: each.shape for key, each in renamed.items()} == {PICTURE: (3, 4, 5), STATE: (2,)}


def test_a_single_action_loses_its_batch_axis_for_an_environment() -> None:
    step = build_step(TorchToNumpyActionConfig())
    assert step(create_transition(action=torch.zeros(1, 2)))["action"].shape == (2,)
    assert step(create_transition(action=torch.zeros(3, 2)))["action"].shape == (3, 2)
    assert step.get_config() == {}
    assert build_step(TorchToNumpyActionConfig(squeeze_batch_dim=False)).get_config() == {"squeeze_batch_dim": False}


def test_only_numpy_actions_become_tensors() -> None:
    with pytest.raises(FeatureMismatchError, match="the action is a list"):
        build_step(NumpyToTorchActionConfig())(create_transition(action=[1.0]))


# --- words -----------------------------------------------------------------------------------------------------------


class Letters:
    """A tokenizer with the interface of `transformers`, one token a letter."""

    def __call__(self, texts: list[str], *, max_length: int, padding_side: str, **_: Any) -> dict[str, torch.Tensor]:
        rows, masks = [], []
        for text in texts:
            codes = [ord(letter) for letter in text[:max_length]]
            padding = [0] * (max_length - len(codes))
            rows.append(codes + padding if padding_side == "right" else padding + codes)
            real = [1] * len(codes)
            masks.append(real + padding if padding_side == "right" else padding + real)
        return {"input_ids": torch.tensor(rows), "attention_mask": torch.tensor(masks)}

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "letters.txt").write_text("abc")


def tokenizer(**fields: Any) -> Any:
    return build_step(TokenizerConfig(max_length=4, **fields), {"tokenizer": Letters()})


def test_the_task_becomes_tokens_and_a_mask() -> None:
    transition = create_transition(observation={STATE: torch.zeros(2, 1)}, complementary_data={"task": ["ab", "c"]})
    result = tokenizer(padding_side="left")(transition)["observation"]
    assert result["observation.language.tokens"].tolist() == [[0, 0, 97, 98], [0, 0, 0, 99]]
    assert result["observation.language.attention_mask"].tolist() == [[False, False, True, True], [False] * 3 + [True]]
    assert "observation.subtask.tokens" not in result


def test_a_subtask_is_tokenized_too() -> None:
    transition = create_transition(complementary_data={"task": "ab", "subtask": ["c"]})
    assert tokenizer()(transition)["observation"]["observation.subtask.tokens"].tolist() == [[99, 0, 0, 0]]


@pytest.mark.parametrize("task", [None, [1, 2], 3])
def test_a_task_that_is_no_text_is_refused(task: Any) -> None:
    with pytest.raises(FeatureMismatchError, match="the task is"):
        tokenizer()(create_transition(complementary_data={"task": task}))


def test_a_tokenizer_of_ones_own_is_saved_beside_the_pipeline(tmp_path: Path) -> None:
    assert tokenizer().save_artifacts(tmp_path) == {"tokenizer_name": "tokenizer"}
    assert (tmp_path / "tokenizer" / "letters.txt").exists()


def test_a_tokenizer_needs_a_name() -> None:
    with pytest.raises(CheckpointError, match="the tokenizer has no name"):
        build_step(TokenizerConfig())


def test_depth_stays_in_millimetres() -> None:
    depth = to_tensor(np.full((2, 3, 1), 1234, np.uint16))
    assert depth.shape == (1, 2, 3)
    assert depth.unique().tolist() == [1234.0]
