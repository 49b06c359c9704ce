"""What vision-language-action models share: their settings, cameras that are missing, and acting along a velocity."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import TransitionKey
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures, check_provided
from lerobot.policies.processing.config import NewLineConfig, TokenizerConfig
from lerobot.policies.processing.pipelines import check_tokenizer, joined
from lerobot.policies.processing.prompt import NewLineProcessorStep
from lerobot.policies.processing.tokenizer import TokenizerProcessorStep
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks
from lerobot.policies.vla.config import FlowVLAConfig
from lerobot.policies.vla.flow import FlowVLAPolicy
from lerobot.policies.vla.images import camera_images

INPUTS = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 5)),
    "observation.images.wrist": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 5)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))}


class LineConfig(FlowVLAConfig):
    """A velocity that is linear in everything."""

    published_order = ("max_action_dim", "chunk_size")

    target = f"{__name__}:LinePolicy"
    type: str = "line"
    steepness: float = 0.5

    @property
    def vocabulary(self) -> int:
        return 20


class LinePolicy(FlowVLAPolicy[Tensor]):
    config: LineConfig

    def __init__(self, config: LineConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config, steps=2)
        self.layer = nn.Linear(1, 1)

    def observe(self, batch: Mapping[str, Any]) -> Tensor:
        seen = camera_images(self.config, batch, lambda images: images, self.config.empty_cameras)
        return torch.stack([images.mean() for images, present in seen if present.all()]).sum()

    def velocity(self, context: Tensor, actions: Tensor, time: Tensor) -> Tensor:
        return self.config.steepness * actions + context

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        return self.padded_actions(batch).mean(), {}


def make(inputs: PolicyFeatures = INPUTS, **changes: Any) -> LinePolicy:
    settings = {"chunk_size": 4, "n_action_steps": 2, "max_action_dim": 8, "device": "cpu", **changes}
    return LinePolicy(LineConfig(input_features=inputs, output_features=OUTPUTS, **settings))


def batch(*missing: str) -> dict[str, Any]:
    found = {
        "observation.state": torch.zeros(2, 3),
        "observation.images.top": torch.rand(2, 1, 3, 4, 5, generator=torch.Generator().manual_seed(0)),
        "observation.images.wrist": torch.zeros(2, 3, 4, 5),
        "observation.language.tokens": torch.ones(2, 6, dtype=torch.long),
        "observation.language.attention_mask": torch.ones(2, 6, dtype=torch.bool),
    }
    return {key: value for key, value in found.items() if key not in missing}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"n_action_steps": 5}, "at most the chunk_size, 4"), ({"n_obs_steps": 2}, "n_obs_steps = 1")],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        make(**wrong)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"max_action_dim": 1}, "max_action_dim=2"), ({"max_state_dim": 2}, "max_state_dim=3")],
)
def test_robots_with_too_many_joints_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(FeatureMismatchError, match=named):
        make(**wrong)


def test_a_policy_without_cameras_is_refused() -> None:
    with pytest.raises(FeatureMismatchError, match="at least one camera"):
        make({"observation.state": INPUTS["observation.state"]})


def test_fields_of_the_base_come_in_the_published_order() -> None:
    fields = list(make().config.model_dump(mode="json"))
    assert fields[-2:] == ["max_action_dim", "chunk_size"]
    assert len(fields) == len(set(fields))


def test_empty_cameras_are_inputs_in_files_too() -> None:
    new = LineConfig(empty_cameras=1).with_features({**INPUTS, **OUTPUTS})
    assert list(new.input_features) == [*INPUTS, "observation.images.empty_camera_0"]
    assert LineConfig.model_validate(new.model_dump(mode="json")) == new


@pytest.mark.parametrize(
    ("empty", "missing", "refused"),
    [
        (0, [], ""),
        (0, ["observation.images.wrist"], "observation.images.wrist"),
        (1, ["observation.images.wrist"], ""),
        (1, ["observation.images.top", "observation.images.wrist"], "observation.images.top"),
        (2, ["observation.state"], "observation.state"),
        (0, ["observation.language.tokens"], "observation.language.tokens"),
    ],
)
def test_as_many_cameras_may_be_missing_as_are_empty(empty: int, missing: list[str], refused: str) -> None:
    policy = make(empty_cameras=empty)
    there = {key: feature for key, feature in {**INPUTS, **OUTPUTS}.items() if key not in missing}
    needed = policy.config.needed_of(there)
    if not refused:
        check_provided(needed, there, "the dataset")
        assert policy.predict_action_chunk(batch(*missing)).shape == (2, 4, 2)
        return
    assert refused in needed or "language" in refused
    with pytest.raises(FeatureMismatchError, match=f"got no '{refused}'"):
        policy.predict_action_chunk(batch(*missing))


def test_empty_cameras_are_black_and_not_there() -> None:
    config = make(empty_cameras=2).config
    seen = camera_images(config, batch("observation.images.wrist"), lambda images: images)
    assert [bool(present.all()) for _, present in seen] == [True, False, False, False]
    assert torch.equal(seen[0].images, batch()["observation.images.top"][:, -1] * 2 - 1)
    assert (seen[1].images == -1).all()
    assert len(camera_images(config, batch("observation.images.wrist"), lambda images: images, 2)) == 3


def test_a_chunk_follows_the_velocity_and_single_actions_are_its_first() -> None:
    policy, noise = make(), torch.randn(2, 4, 8)
    context = policy.observe(batch())
    middle = noise - 0.5 * (0.5 * noise + context)
    expected = (middle - 0.5 * (0.5 * middle + context))[:, :, :2]
    assert torch.allclose(policy.predict_action_chunk(batch(), noise=noise), expected, atol=1e-6)
    torch.manual_seed(0)
    chunk = policy.predict_action_chunk(batch())
    torch.manual_seed(0)
    assert torch.equal(torch.stack([policy.select_action(batch()) for _ in range(2)], dim=1), chunk[:, :2])


@pytest.mark.parametrize("jacobian", [True, False])
def test_chunks_continue_the_one_before(jacobian: bool) -> None:
    policy = make()
    assert isinstance(policy, ContinuesChunks)
    noise, past = torch.randn(2, 4, 8), torch.full((2, 3, 2), 5.0)
    plain = policy.predict_action_chunk(batch(), noise=noise)
    settings = RTCConfig(execution_horizon=3, use_jacobian=jacobian)
    drawn = policy.continue_action_chunk(batch(), Continuation(past, 1, settings), noise=noise)
    assert ((drawn - 5).abs() < (plain - 5).abs())[:, :3].all()
    assert torch.equal(drawn[:, 3:], plain[:, 3:])


def test_actions_are_filled_up_and_windows_of_another_length_refused() -> None:
    policy = make()
    assert policy.padded_actions({**batch(), "action": torch.ones(2, 4, 2)}).sum() == 16
    with pytest.raises(FeatureMismatchError, match="the batch has 'action'"):
        policy.forward({**batch(), "action": torch.ones(2, 3, 2)})


def test_tasks_end_with_one_new_line() -> None:
    step = NewLineProcessorStep(NewLineConfig(type="line"))
    for given, expected in (("go", "go\n"), ("go\n", "go\n"), (["a", "b\n"], ["a\n", "b\n"]), (None, None)):
        found = step({TransitionKey.COMPLEMENTARY_DATA: {"task": given}})
        assert found[TransitionKey.COMPLEMENTARY_DATA]["task"] == expected
    with pytest.raises(FeatureMismatchError, match="a text"):
        step({TransitionKey.COMPLEMENTARY_DATA: {"task": 3}})


@pytest.mark.parametrize(("tokens", "fits"), [(20, True), (21, False)])
def test_a_tokenizer_with_more_tokens_than_the_language_model_is_refused(tokens: int, fits: bool) -> None:
    class Words:
        def __len__(self) -> int:
            return tokens

    step = TokenizerProcessorStep(TokenizerConfig(tokenizer_name="words"), tokenizer=Words())
    if fits:
        check_tokenizer(joined([step], []), LineConfig())
        return
    with pytest.raises(CheckpointError, match=r"'words' has 21 tokens.*knows 20"):
        check_tokenizer(joined([step], []), LineConfig())
