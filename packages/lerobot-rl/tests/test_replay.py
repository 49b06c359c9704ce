"""Experience in memory and on the disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experience import CAMERA, FEATURES, STATE, episode, frame

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rl.replay.buffer import ReplayBuffer, ReplayMixture
from lerobot.rl.replay.recording import ReplayDataset, read_episodes
from lerobot.rl.transition import Episode


def _filled(*episodes: Episode, **settings: Any) -> ReplayBuffer:
    buffer = ReplayBuffer(settings.pop("capacity", 1000), **settings)
    for each in episodes:
        buffer.add(each)
    return buffer


class TestWindows:
    def test_one_step_is_followed_by_what_was_seen_next(self) -> None:
        batch = _filled(episode("a", 5), episode("b", 4, first=20)).sample(200)
        first, after = batch.observation[STATE][:, 0], batch.next_observation[STATE][:, 0]
        assert torch.equal(after, first + 1)
        assert torch.equal(batch.reward[:, 0], first)
        assert torch.equal(batch.action[:, 0, 1], first + 0.5)
        assert torch.equal(batch.terminal[:, 0], (first == 4) | (first == 23))
        assert set(first.tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0, 20.0, 21.0, 22.0, 23.0}

    def test_windows_stay_inside_their_episode(self) -> None:
        batch = _filled(episode("a", 5), episode("b", 4, first=20)).sample(300, steps=3)
        first, ends = batch.observation[STATE][:, 0], torch.where(batch.observation[STATE][:, 0] < 10, 5.0, 24.0)
        count = torch.minimum(torch.tensor(3.0), ends - first)
        assert torch.equal(batch.valid.sum(1).float(), count)
        assert torch.equal(batch.next_observation[STATE][:, 0], first + count)
        steps = torch.minimum(first[:, None] + torch.arange(3), ends[:, None] - 1)
        assert torch.equal(batch.action[..., 0], steps)
        assert torch.equal(batch.reward, steps * batch.valid)
        assert torch.equal(batch.terminal.any(1), first + count == ends)

    def test_backups_of_a_window(self) -> None:
        batch = _filled(episode("a", 5, first=1)).sample(100, steps=3)
        for row in range(100):
            rewards = batch.reward[row][batch.valid[row]].tolist()
            assert batch.returns(0.9)[row].item() == pytest.approx(sum(0.9**k * r for k, r in enumerate(rewards)))
            ended = rewards[-1] == 5
            assert batch.continuation(0.9)[row].item() == pytest.approx(0 if ended else 0.9 ** len(rewards))

    def test_the_end_of_the_time_ends_no_value(self) -> None:
        batch = _filled(episode("a", 3, terminal=False)).sample(50, steps=4)
        assert (batch.continuation(0.5) > 0).all()

    def test_every_row_is_as_likely_as_another(self) -> None:
        buffer = _filled(episode("a", 2), episode("b", 18, first=20))
        first = torch.cat([buffer.sample(500).observation[STATE][:, 0] for _ in range(8)])
        # 4,000 draws of 20 rows: 200 each, standard deviation 13.8.
        counts = torch.unique(first, return_counts=True)[1]
        assert len(counts) == 20
        assert counts.min() > 200 - 5 * 13.8
        assert counts.max() < 200 + 5 * 13.8

    def test_numbers_that_an_episode_lacks_are_zero(self) -> None:
        bare = episode("b", 3, first=20)
        bare = Episode("b", [type(row)(row.observation, row.action, row.reward) for row in bare.transitions], bare.last)
        batch = _filled(episode("a", 3), bare).sample(64)
        first = batch.observation[STATE][:, 0]
        assert torch.equal(batch.extra["discrete_penalty"][:, 0], torch.where(first < 10, -0.25 * first, 0.0))


class TestBuffer:
    def test_no_episode_counts_twice(self) -> None:
        buffer = _filled(episode("a", 5))
        assert not buffer.add(episode("a", 5))
        assert len(buffer) == 5
        assert buffer.add(episode("b", 2))
        assert len(buffer) == 7

    def test_the_oldest_go_first(self) -> None:
        buffer = _filled(episode("a", 5), episode("b", 5, first=20), episode("c", 5, first=40), capacity=11)
        assert len(buffer) == 10
        assert set(buffer.sample(100).observation[STATE][:, 0].int().tolist()) == {*range(20, 25), *range(40, 45)}
        assert not buffer.add(episode("a", 5)), "it would count a second time"

    @pytest.mark.parametrize("kept", ["raw", "png"])
    def test_pictures_come_back_to_the_bit(self, kept: Any) -> None:
        batch = _filled(episode("a", 4), pictures=PictureEncoder(kept)).sample(10)
        for row, number in enumerate(batch.observation[STATE][:, 0].tolist()):
            assert np.array_equal(batch.observation[CAMERA][row].numpy(), frame(number)[CAMERA])
            assert np.array_equal(batch.next_observation[CAMERA][row].numpy(), frame(number + 1)[CAMERA])
        moved = batch.to(torch.device("cpu")).observation[CAMERA]
        assert moved.shape == (10, 3, 8, 6)
        assert torch.equal(moved.movedim(1, -1) * 255, batch.observation[CAMERA].float())

    def test_draws_go_on_from_their_state(self) -> None:
        buffer = _filled(episode("a", 50), seed=3)
        buffer.sample(7)
        state = buffer.state_dict()
        expected = buffer.sample(16, 2)
        again = _filled(episode("a", 50))
        again.load_state_dict(state)
        assert torch.equal(again.sample(16, 2).action, expected.action)

    def test_other_observations_are_refused(self) -> None:
        other = episode("b", 2)
        rows = [type(row)({STATE: np.zeros(3, np.float32)}, row.action, 0.0) for row in other.transitions]
        with pytest.raises(FeatureMismatchError, match="episode b has"):
            _filled(episode("a", 2)).add(Episode("b", rows, {STATE: np.zeros(3, np.float32)}))

    def test_nothing_to_draw_from(self) -> None:
        with pytest.raises(LeRobotError, match="no experience"):
            ReplayBuffer(10).sample(1)


class TestMixture:
    def test_shares_of_a_batch(self) -> None:
        online, offline = _filled(episode("a", 5)), _filled(episode("b", 5, first=20))
        first = ReplayMixture(online, offline, 0.25).sample(16).observation[STATE][:, 0]
        assert (first[:4] < 10).all()
        assert (first[4:] >= 20).all()

    def test_all_of_one_as_long_as_the_other_is_empty(self) -> None:
        full, empty = _filled(episode("a", 5)), ReplayBuffer(10)
        assert len(ReplayMixture(full, empty, 0.1).sample(8)) == 8
        assert len(ReplayMixture(empty, full, 0.9).sample(8)) == 8


class TestCorrections:
    def test_parts_in_which_a_person_acted(self) -> None:
        whole = episode("a", 8, people=(1, 2, 6, 7))
        parts = list(whole.corrections())
        assert [(part.id, len(part)) for part in parts] == [("a/1", 2), ("a/6", 2)]
        assert parts[0].last is whole.transitions[3].observation
        assert parts[1].last is whole.last
        assert whole.interventions == 4


class TestDataset:
    def test_episodes_are_read_as_they_were_written(self, tmp_path: Path) -> None:
        written = [episode("a", 4, people=(2,)), episode("b", 3, first=20, terminal=False)]
        with ReplayDataset(tmp_path / "replay", 10, FEATURES, ["discrete_penalty"]) as dataset:
            assert [dataset.add(each) for each in written] == [True, True]
            assert not dataset.add(written[0])
        found = list(read_episodes(LeRobotDataset("replay", tmp_path / "replay")))
        assert [each.id for each in found] == ["a", "b"]
        for before, after in zip(written, found, strict=True):
            assert after.task == "go there"
            assert len(before) == len(after)
            for one, two in zip(before.transitions, after.transitions, strict=True):
                assert (one.reward, one.terminal, one.success, one.intervention, dict(one.extra)) == (
                    two.reward, two.terminal, two.success, two.intervention, dict(two.extra)
                )  # fmt: skip
                assert np.array_equal(one.action, two.action)
                assert all(np.array_equal(one.observation[key], two.observation[key]) for key in one.observation)
            assert all(np.array_equal(before.last[key], after.last[key]) for key in before.last)

    def test_it_goes_on_where_it_was(self, tmp_path: Path) -> None:
        with ReplayDataset(tmp_path / "replay", 10, FEATURES) as dataset:
            dataset.add(episode("a", 4))
        with ReplayDataset(tmp_path / "replay", 10, FEATURES) as dataset:
            assert dataset.ids == {"a"}
            assert not dataset.add(episode("a", 4))
            assert dataset.add(episode("b", 2))
        assert [each.id for each in read_episodes(LeRobotDataset("replay", tmp_path / "replay"))] == ["a", "b"]

    def _recorded(self, root: Path, columns: dict[str, Any], rows: list[dict[str, Any]]) -> LeRobotDataset:
        features = {key: FEATURES[key] for key in (STATE, "action")}
        features |= {key: {"dtype": kind, "shape": (1,), "names": None} for key, kind in columns.items()}
        dataset = LeRobotDataset.create("demos", 10, features, root)
        for number, row in enumerate(rows):
            dataset.add_frame({STATE: frame(number)[STATE], "action": np.zeros(2, np.float32), "task": "x", **row})
        dataset.save_episode()
        dataset.finalize()
        return LeRobotDataset("demos", root)

    @pytest.mark.parametrize(("success", "length"), [(True, 3), (False, 2)])
    def test_a_recording_ends_by_success_or_by_time(self, tmp_path: Path, success: bool, length: int) -> None:
        rows = [{"next.reward": float(k), "next.done": k == 2, "next.success": success and k == 2} for k in range(3)]
        columns = {"next.reward": "float32", "next.done": "bool", "next.success": "bool"}
        (found,) = read_episodes(self._recorded(tmp_path / "demos", columns, rows))
        assert (len(found), found.transitions[-1].terminal) == (length, success)
        assert found.last[STATE][0] == 2
        assert found.id == "demos/0"

    def test_rewards_are_never_invented(self, tmp_path: Path) -> None:
        dataset = self._recorded(tmp_path / "demos", {"next.done": "bool"}, [{"next.done": True}])
        with pytest.raises(FeatureMismatchError, match=r"next\.reward"):
            list(read_episodes(dataset))
