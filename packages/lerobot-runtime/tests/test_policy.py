"""An exported policy acts: queue, ensembling, windows, noise, and what a chunk is predicted from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_export import HORIZON, JOINTS, STATE, TOP, chunk_by_hand, description, frames, place, write

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.protocols import ActingPolicy
from lerobot.runtime.chunks import TemporalEnsembler
from lerobot.runtime.policy import ExportedPolicy

Load = Callable[..., ExportedPolicy]


def test_it_is_a_policy_that_acts(exported: Path, load_policy: Load) -> None:
    policy = load_policy(exported)
    assert isinstance(policy, ActingPolicy)
    assert (policy.name, policy.observation_steps) == ("exported tiny", 1)


def test_a_chunk_is_predicted_from_what_is_measured(exported: Path, load_policy: Load) -> None:
    (frame,) = frames(1)
    chunk = load_policy(exported).predict_chunk([frame])
    assert (chunk.shape, chunk.dtype) == ((HORIZON, JOINTS), np.float32)
    np.testing.assert_allclose(chunk, chunk_by_hand(frame[STATE], frame[TOP]), atol=1e-5)


@pytest.mark.parametrize(("fields", "executed"), [({}, 3), ({"n_action_steps": 1}, 1), ({"n_action_steps": 4}, 4)])
def test_so_many_actions_of_a_chunk_are_executed(
    exported: Path, load_policy: Load, fields: dict[str, Any], executed: int
) -> None:
    policy, seen = load_policy(exported, **fields), frames(8)
    for tick, frame in enumerate(seen):
        asked = seen[tick - tick % executed]
        expected = chunk_by_hand(asked[STATE], asked[TOP])[tick % executed]
        np.testing.assert_allclose(policy.select_action(frame), expected, atol=1e-5)


def test_more_steps_than_a_chunk_has_are_refused(exported: Path, load_policy: Load) -> None:
    with pytest.raises(FeatureMismatchError, match="n_action_steps is 5, and a chunk holds 4 actions"):
        load_policy(exported, n_action_steps=5)


def test_an_episode_begins_anew(exported: Path, load_policy: Load) -> None:
    policy, (first, second) = load_policy(exported), frames(2)
    policy.select_action(first)
    policy.reset()
    np.testing.assert_allclose(policy.select_action(second), chunk_by_hand(second[STATE], second[TOP])[0], atol=1e-5)


def ensembled(chunks: list[np.ndarray], tick: int, coefficient: float) -> np.ndarray:
    """Algorithm 2 of arXiv:2304.13705: all predictions for a tick, the oldest with the weight 1."""
    planned = [chunks[made][tick - made] for made in range(tick + 1) if tick - made < len(chunks[made])]
    weights = np.array([np.exp(-coefficient * index) for index in range(len(planned))])
    return (weights[:, None] * np.array(planned)).sum(0) / weights.sum()


@pytest.mark.parametrize("coefficient", [0.01, 0.0, -0.5])
def test_overlapping_chunks_are_averaged(tmp_path: Path, load_policy: Load, coefficient: float) -> None:
    said = description(n_action_steps=1, config={"temporal_ensemble_coeff": coefficient})
    policy, seen = load_policy(write(tmp_path / "averaging", said)), frames(9)
    chunks = [chunk_by_hand(frame[STATE], frame[TOP]) for frame in seen]
    for tick, frame in enumerate(seen):
        np.testing.assert_allclose(policy.select_action(frame), ensembled(chunks, tick, coefficient), atol=1e-4)


def test_averaging_can_be_asked_for_and_given_up(tmp_path: Path, load_policy: Load) -> None:
    averaging = write(tmp_path / "averaging", description(n_action_steps=1, config={"temporal_ensemble_coeff": 0.1}))
    queue, seen = load_policy(averaging, n_action_steps=2), frames(2)
    found = [queue.select_action(frame) for frame in seen]
    np.testing.assert_allclose(found, chunk_by_hand(seen[0][STATE], seen[0][TOP])[:2], atol=1e-5)
    asked = load_policy(write(tmp_path / "queue", description()), temporal_ensemble_coeff=0.1)
    chunks = [chunk_by_hand(frame[STATE], frame[TOP]) for frame in seen]
    found = [asked.select_action(frame) for frame in seen]
    np.testing.assert_allclose(found[1], ensembled(chunks, 1, 0.1), atol=1e-4)


def test_an_average_has_no_say_of_chunks_that_are_over() -> None:
    ensembler = TemporalEnsembler(0.0)
    chunks = [np.full((2, 1), value, np.float32) for value in (100.0, 1.0, 3.0)]
    found = [float(ensembler.next(lambda chunk=chunk: chunk)[0]) for chunk in chunks]
    assert found == [100.0, 50.5, 2.0]


def test_a_window_is_filled_by_its_first_observation(tmp_path: Path, load_policy: Load) -> None:
    policy = load_policy(write(tmp_path / "window", description(steps=3, n_action_steps=1)))
    assert policy.observation_steps == 3
    seen = frames(4)
    for tick, frame in enumerate(seen):
        window = [seen[max(0, tick - back)] for back in (2, 1, 0)]
        states, images = (np.stack([each[key] for each in window]) for key in (STATE, TOP))
        expected = chunk_by_hand(states.sum(0), images)
        np.testing.assert_allclose(policy.predict_chunk(seen[max(0, tick - 2) : tick + 1]), expected, atol=1e-4)
        np.testing.assert_allclose(policy.select_action(frame), expected[0], atol=1e-4)


def test_noise_is_drawn_for_every_chunk_and_comes_from_the_seed(tmp_path: Path, load_policy: Load) -> None:
    folder, (frame,) = write(tmp_path / "noise", description(noise="normal")), frames(1)
    policy = load_policy(folder, seed=3)
    drawn = [policy.predict_chunk([frame]) - chunk_by_hand(frame[STATE], frame[TOP]) for _ in range(200)]
    assert len({chunk.tobytes() for chunk in drawn}) == 200
    assert abs(np.mean(drawn)) < 0.05
    assert np.std(drawn) == pytest.approx(1.0, abs=0.05)
    policy.seed(3)
    np.testing.assert_array_equal(policy.predict_chunk([frame]) - chunk_by_hand(frame[STATE], frame[TOP]), drawn[0])
    exponential = load_policy(write(tmp_path / "exponential", description(noise="exponential")), seed=3)
    drawn = [exponential.predict_chunk([frame]) - chunk_by_hand(frame[STATE], frame[TOP]) for _ in range(200)]
    assert np.min(drawn) > -1e-4
    assert np.mean(drawn) == pytest.approx(1.0, abs=0.05)


def test_copies_share_nothing_that_is_remembered(exported: Path, load_policy: Load) -> None:
    policy, (first, second) = load_policy(exported), frames(2)
    policy.select_action(first)
    other = policy.copy()
    np.testing.assert_allclose(other.select_action(second), chunk_by_hand(second[STATE], second[TOP])[0], atol=1e-5)
    np.testing.assert_allclose(policy.select_action(second), chunk_by_hand(first[STATE], first[TOP])[1], atol=1e-5)


def test_keys_can_be_renamed(exported: Path, load_policy: Load) -> None:
    (frame,) = frames(1)
    front = "observation.images.front"
    features = {(front if key == TOP else key): value for key, value in place().features.items()}
    policy = load_policy(exported, place(features=features, rename_map={front: TOP}))
    found = policy.select_action({STATE: frame[STATE], front: frame[TOP], "task": ""})
    np.testing.assert_allclose(found, chunk_by_hand(frame[STATE], frame[TOP])[0], atol=1e-5)


def test_a_task_it_was_not_exported_for_is_refused(tmp_path: Path, load_policy: Load) -> None:
    policy, (frame,) = load_policy(write(tmp_path / "told", description(task="pick the cube"))), frames(1)
    policy.select_action({**frame, "task": "pick the cube"})
    policy.select_action(frame)
    policy.reset()
    with pytest.raises(FeatureMismatchError, match="exported for the task 'pick the cube', and is told 'dance'"):
        policy.select_action({**frame, "task": "dance"})


def test_an_image_of_another_size_is_refused(exported: Path, load_policy: Load) -> None:
    (frame,) = frames(1)
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is \(16, 40, 3\) uint8"):
        load_policy(exported).select_action({**frame, TOP: frame[TOP][:16]})
    with pytest.raises(FeatureMismatchError, match=r"got no observation\.images\.top"):
        load_policy(exported).select_action({STATE: frame[STATE], "task": ""})


def test_it_cannot_continue_a_chunk_and_says_so(exported: Path, load_policy: Load) -> None:
    with pytest.raises(LeRobotError, match=r"exported tiny policy cannot be continued in the mode 'guided'") as refused:
        load_policy(exported).require_continuing(RTCConfig())
    assert "--inference.type=async" in str(refused.value)
