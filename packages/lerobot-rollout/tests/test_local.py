"""A policy on this computer as a source of chunks: it is given what it is given when it acts tick by tick."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import LeRobotError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.processors import build_step
from lerobot.core.protocols import ChunkSource
from lerobot.core.protocols.chunks import ChunkRequest
from lerobot.core.registry import registry
from lerobot.core.types import Observation
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.processing.config import (
    AbsoluteActionsConfig,
    DeviceConfig,
    NormalizerConfig,
    RelativeActionsConfig,
    ToBatchConfig,
    UnnormalizerConfig,
)
from lerobot.policies.processing.pipelines import Processors, joined, make_processors
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.windowed import WindowedPolicy
from lerobot.rollout.actor import robot_features
from lerobot.rollout.local import LocalChunks

JOINTS = 6
STATS = {
    "observation.state": {"mean": torch.full((JOINTS,), 3.0), "std": torch.full((JOINTS,), 2.0)},
    "action": {"min": torch.full((JOINTS,), -10.0), "max": torch.full((JOINTS,), 30.0)},
}
FEATURES = robot_features(FakeRobotConfig().build())
NAMES = FEATURES["action"]["names"]


class WindowConfig(PreTrainedConfig):
    target: ClassVar[str] = f"{__name__}:WindowPolicy"
    type: str = "window"
    n_obs_steps: int = 3
    normalization_mapping: dict[FeatureType, NormalizationMode] = {
        FeatureType.STATE: NormalizationMode.MEAN_STD,
        FeatureType.ACTION: NormalizationMode.MIN_MAX,
    }

    @property
    def observation_delta_indices(self) -> range:
        return range(1 - self.n_obs_steps, 1)


class WindowPolicy(WindowedPolicy):
    """Four actions: the states of the window and their sum."""

    rtc_modes: ClassVar[frozenset[Any]] = frozenset({"guided"})

    def __init__(self, config: PreTrainedConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config, 1)
        self.nothing = nn.Parameter(torch.zeros(()))
        self.continued: list[Continuation] = []

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(observations)

    def predict(self, window: Mapping[str, Tensor]) -> Tensor:
        states = window["observation.state"]
        return torch.cat([states.sum(1, keepdim=True), states], dim=1) / 100

    def continue_action_chunk(self, batch: Mapping[str, Any], continuation: Continuation) -> Tensor:
        self.continued.append(continuation)
        assert "action" not in batch
        assert not torch.is_inference_mode_enabled()
        return self.predict_action_chunk(batch)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        raise AssertionError("never trained here")


@pytest.fixture(autouse=True)
def window_is_registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "window", WindowConfig)
        yield


def trained(processors: Any = make_processors) -> PolicyWithProcessors:
    config = WindowConfig(
        input_features={"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(JOINTS,))},
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(JOINTS,))},
        device="cpu",
    )
    return PolicyWithProcessors(config.build(), processors(config, STATS))


def seen(value: float) -> Observation:
    return Observation({name: value + number for number, name in enumerate(NAMES)})


def test_a_window_is_what_the_policy_sees_tick_by_tick() -> None:
    pair, observations = trained(), [seen(float(tick)) for tick in range(4)]
    source = LocalChunks(TrainedPlayer(pair), FEATURES)
    assert isinstance(source, ChunkSource)
    assert source.observation_steps == 3
    for newest in range(4):
        window = tuple(observations[max(0, newest - 2) : newest + 1])
        chunk = source.predict(ChunkRequest(window, timestep=newest))
        batch = {"observation.state": torch.tensor([list(observations[newest].values())])}
        expected = pair.processors.postprocessor(pair.policy.select_action(pair.processors.preprocessor(batch)))
        assert (chunk.timestep, len(chunk.actions)) == (newest, 4)
        assert list(chunk.actions[0]) == NAMES
        assert list(chunk.actions[0].values()) == pytest.approx(expected[0].tolist())


def test_only_so_many_actions_of_a_chunk_are_used() -> None:
    source = LocalChunks(TrainedPlayer(trained()), FEATURES, actions_per_chunk=2)
    assert len(source.predict(ChunkRequest((seen(0.0),), timestep=0)).actions) == 2


def test_what_is_planned_is_continued_as_the_policy_would_predict_it() -> None:
    pair = trained()
    source = LocalChunks(TrainedPlayer(pair), FEATURES, rtc=RTCConfig(execution_horizon=5))
    source.predict(ChunkRequest((seen(0.0),), timestep=0))
    assert pair.policy.continued == [], "there is nothing to continue"
    coming = tuple(dict.fromkeys(reversed(NAMES), value) for value in (-10.0, 10.0, 30.0))
    source.predict(ChunkRequest((seen(0.0),), timestep=1, coming=coming, delay=2))
    (continuation,) = pair.policy.continued
    assert continuation.delay == 2
    assert continuation.settings.execution_horizon == 5
    assert torch.allclose(continuation.previous, torch.tensor([-1.0, 0.0, 1.0])[None, :, None].expand(1, 3, JOINTS))


def test_relative_actions_are_anchored_to_the_new_state() -> None:
    """What is planned stays in its place, so relative to a robot that has moved it is another action."""

    def relative(config: Any, stats: Any) -> Processors:
        features = {**config.input_features, **config.output_features}
        norm_map = {**config.norm_map, FeatureType.STATE: NormalizationMode.IDENTITY}
        return joined(
            [
                build_step(ToBatchConfig()),
                build_step(DeviceConfig(device="cpu")),
                build_step(relative_step),
                build_step(NormalizerConfig(features=features, norm_map=norm_map), {"stats": stats}),
            ],
            [
                build_step(UnnormalizerConfig(features=config.output_features, norm_map=norm_map), {"stats": stats}),
                build_step(AbsoluteActionsConfig(enabled=True)),
            ],
        )

    relative_step = RelativeActionsConfig(enabled=True)
    pair = trained(relative)
    source = LocalChunks(TrainedPlayer(pair), FEATURES, rtc=RTCConfig())
    planned = source.predict(ChunkRequest((seen(0.0),), timestep=0)).actions
    source.predict(ChunkRequest((seen(20.0),), timestep=1, coming=planned[1:], delay=0))
    (continuation,) = pair.policy.continued
    # The policy predicted (s, s, s) / 100 of the state s; 20 is one whole of a normalised action.
    state = torch.arange(float(JOINTS))
    assert torch.allclose(continuation.previous[0], (state / 100 - 1.0).expand(3, JOINTS), atol=1e-5)


def test_a_policy_that_cannot_continue_is_refused(arm: PolicyWithProcessors) -> None:
    with pytest.raises(LeRobotError, match=r"'tiny' predicts its chunks at once.*\n.*--inference.type=async"):
        LocalChunks(TrainedPlayer(arm), FEATURES, rtc=RTCConfig())
    LocalChunks(TrainedPlayer(arm), FEATURES, rtc=RTCConfig(enabled=False))
    with pytest.raises(LeRobotError, match=r"mode 'trained'\n.*--inference.rtc.mode=guided"):
        LocalChunks(TrainedPlayer(trained()), FEATURES, rtc=RTCConfig(mode="trained"))
