"""Real-time chunking with a policy that can be given the beginning of a chunk: Pi0.5, small, with random weights."""

from typing import Any

import pytest
import torch
from tiny_pi import tiny_settings, write_tiny_tokenizer

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig
from lerobot.core.protocols.chunks import ChunkRequest
from lerobot.core.types import Observation
from lerobot.pi0.pi05_config import PI05Config
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.processing.pipelines import make_processors
from lerobot.rollout.actor import robot_features
from lerobot.rollout.ahead.source import AheadSettings, AheadSource
from lerobot.rollout.ahead.worker import ClockWorker
from lerobot.rollout.local import LocalChunks
from lerobot.rollout.source import blank_observation

LONGEST = 3
PERIOD_S = 0.1


class TurnedClock:
    """Time passes when the test says so."""

    now_s = 0.0

    def now(self) -> float:
        return self.now_s

    def sleep_until(self, deadline: float) -> None:
        self.now_s = deadline


@pytest.fixture(scope="module")
def chunks(tmp_path_factory: pytest.TempPathFactory) -> LocalChunks:
    folder = tmp_path_factory.mktemp("paligemma")
    write_tiny_tokenizer(folder)
    torch.manual_seed(0)
    state, action = {"type": "STATE", "shape": (6,)}, {"type": "ACTION", "shape": (6,)}
    inputs = {"observation.images.top": {"type": "VISUAL", "shape": (3, 32, 40)}, "observation.state": state}
    config = PI05Config(
        **tiny_settings(
            folder, input_features=inputs, output_features={"action": action}, chunk_size=12, n_action_steps=6,
            rtc_training_max_delay=LONGEST, tokenizer_max_length=80,
        )
    )  # fmt: skip
    policy = config.build()
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    ends: dict[str, Any] = {"q01": torch.full((6,), -90.0), "q99": torch.full((6,), 90.0)}
    stats = {"observation.state": ends, "action": ends}
    player = TrainedPlayer(PolicyWithProcessors(policy, make_processors(config, stats)))
    return LocalChunks(player, FEATURES, rtc=RTCConfig(mode="trained"))


FEATURES = robot_features(FakeRobotConfig(cameras={"top": FakeCameraConfig(width=40, height=32, fps=30)}).build())
SEEN: Observation = blank_observation(FEATURES)


def test_what_is_executed_meanwhile_is_the_beginning_of_the_next_chunk(chunks: LocalChunks) -> None:
    first = chunks.predict(ChunkRequest((SEEN,), timestep=0, task="pick"))
    coming = first.actions[4:]
    found = chunks.predict(ChunkRequest((SEEN,), timestep=4, coming=coming, delay=LONGEST, task="pick")).actions
    for planned, continued in zip(coming[:LONGEST], found, strict=False):
        assert continued == pytest.approx(planned, abs=1e-2)
    assert found[LONGEST] != pytest.approx(coming[LONGEST], abs=1e-2)


def test_a_robot_goes_from_chunk_to_chunk_without_a_pause(chunks: LocalChunks) -> None:
    """Predictions take 0.25 s, three actions; what is executed then was given to the network."""
    clock = TurnedClock()
    settings = AheadSettings(threshold=6.0, aggregate="latest_only", drop_late=True)
    source = AheadSource(ClockWorker(chunks, clock, seconds=0.25), settings, observation_steps=1, clock=clock)
    for tick in range(40):
        source.next_action(SEEN, tick)
        clock.now_s += PERIOD_S
    assert source.report.late <= 1, "the first prediction of all did not know how long it takes"
    assert source.report.starved <= 3, "only before the first chunk"
    assert source.report.delays.keys() <= {0, LONGEST}
    assert source.report.delays[LONGEST] >= 4
