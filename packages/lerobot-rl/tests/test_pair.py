"""Actor and learner over the wire: whatever is lost or killed, every episode counts once."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from experience import FEATURES, LinearConfig, LinearPolicy, episode, frame
from lossy import Lossy

from lerobot.core.errors import DeviceConnectionError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.remote.wire.client import open_link
from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.server import WireServer
from lerobot.rl.config import LearnerConfig
from lerobot.rl.pair.courier import Courier
from lerobot.rl.pair.inbox import Inbox
from lerobot.rl.pair.messages import description, read_row
from lerobot.rl.replay.recording import ReplayDataset, read_episodes


def described(width: int = 2) -> Description:
    config = LinearConfig(
        input_features={"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(width,))},
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        device="cpu",
    )
    return description(LinearPolicy(config), {"x": float, "y": float}, {"dx": float, "dy": float}, 10)


class Learner:
    """An inbox with a dataset, in a thread of its own."""

    def __init__(self, folder: Path, port: int, agreed: Description | None = None) -> None:
        self.dataset = ReplayDataset(folder, 10, FEATURES, ["discrete_penalty"])
        self.inbox = Inbox(agreed or described(), self.dataset.ids)
        self.saves = 0
        self._server = WireServer(LearnerConfig(port=port), self.inbox.serve)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Learner":
        self._server.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._server.__exit__(None, None, None)
        self.dataset.close()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            for each in self.inbox.take():
                self.saves += self.dataset.add(each)
                self.inbox.confirm(each)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def courier(port: int, agreed: Description | None = None, share: float = 0.0) -> Iterator[tuple[Courier, list[Lossy]]]:
    config, draw, links = LearnerConfig(port=port), random.Random(3), []

    @contextmanager
    def connect() -> Iterator[Lossy]:
        with open_link(config.connection(), "the learner") as link:
            links.append(Lossy(link, share, draw))
            yield links[-1]

    with Courier(config, agreed or described(), connect=connect, answer_s=0.15, poll_s=0.02) as carried:
        yield carried, links


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)


def test_every_episode_arrives_once_although_messages_are_lost(tmp_path: Path) -> None:
    port, sent = free_port(), [episode(f"e{n}", 3 + n % 4, first=10 * n, people=(1,)) for n in range(25)]
    weights = os.urandom(9 * 2**20)
    with Learner(tmp_path / "replay", port) as learner:
        learner.inbox.publish("a-1", {"config.json": b"{}", "model.safetensors": weights})
        with courier(port, share=0.2) as (carried, links):
            assert carried.files(60) == {"config.json": b"{}", "model.safetensors": weights}
            for each in sent:
                carried.send(each)
            eventually(lambda: carried.delivered == len(sent))
            learner.inbox.publish("a-2", {"config.json": b"{}", "model.safetensors": b"better"})
            eventually(lambda: carried.new_weights() == b"better")
            assert sum(link.lost for link in links) > 10
        assert learner.saves == len(sent)
    found = {each.id: each for each in read_episodes(LeRobotDataset("replay", tmp_path / "replay"))}
    assert list(found) == [each.id for each in sent]
    for each in sent:
        for one, two in zip(each.transitions, found[each.id].transitions, strict=True):
            assert (one.reward, one.terminal, one.intervention) == (two.reward, two.terminal, two.intervention)
            assert dict(one.extra) == dict(two.extra)
            assert np.array_equal(one.action, two.action)
            assert all(np.array_equal(one.observation[key], two.observation[key]) for key in one.observation)


def test_a_learner_that_begins_anew_knows_what_it_has(tmp_path: Path) -> None:
    port = free_port()
    with courier(port) as (carried, _):
        for turn in range(4):
            with Learner(tmp_path / "replay", port) as learner:
                learner.inbox.publish(f"{turn}-1", {"model.safetensors": b"%d" % turn})
                for number in range(3):
                    carried.send(episode(f"{turn}-{number}", 4, first=turn))
                eventually(lambda: carried.waiting == 0)
                eventually(lambda turn=turn: carried.new_weights() == b"%d" % turn)
                assert learner.saves == (4 if turn else 3)
            # What is sent while nobody listens is kept.
            carried.send(episode(f"{turn}-kept", 2, first=turn))
        with Learner(tmp_path / "replay", port) as learner:
            eventually(lambda: carried.waiting == 0)
            assert learner.saves == 1
    ids = [each.id for each in read_episodes(LeRobotDataset("replay", tmp_path / "replay"), pictures=False)]
    assert len(ids) == len(set(ids)) == 16


def test_the_same_rows_twice_count_once(tmp_path: Path) -> None:
    inbox = Inbox(described(), set())
    row = {
        "observation": {"observation.state": frame(0)["observation.state"]}, "action": np.zeros(2, np.float32),
        "reward": 1.0, "flags": [False, False, True], "extra": {},
    }  # fmt: skip
    about = {"lerobot": "rows", "number": 1, "episode": "e", "task": "", "count": 2}
    last = {"observation": row["observation"]}
    assert inbox._answer({**about, "first": 0, "rows": [row]})["missing"] == 1
    assert inbox._answer({**about, "first": 0, "rows": [row, row]})["missing"] == 2
    assert inbox.take() == []
    assert inbox._answer({**about, "first": 2, "rows": [last]})["missing"] == 3
    assert inbox._answer({**about, "first": 0, "rows": [row, row, last]}) == {
        "lerobot": "answer", "number": 1, "saved": False, "missing": 3
    }  # fmt: skip
    (whole,) = inbox.take()
    assert (len(whole), whole.interventions) == (2, 2)
    inbox.confirm(whole)
    assert inbox._answer({**about, "first": 0, "rows": []})["saved"]
    assert inbox.take() == []
    for wrong in ({"count": 0}, {"first": 5}, {"rows": [last, row]}, {"rows": "x"}, {"episode": "f", "rows": [last]}):
        with pytest.raises(WireError):
            inbox._answer({**about, "episode": "g", "first": 0, "rows": [], **wrong})


def test_nothing_but_rows_is_taken_for_rows() -> None:
    for wrong in (None, {}, {"observation": 1}, {"observation": {"x": 1}}, {"observation": {}, "action": [0.0]}):
        if wrong == {"observation": {}, "action": [0.0]}:
            assert read_row(wrong) == {}, "without what a transition needs it is a last observation"
            continue
        with pytest.raises(WireError):
            read_row(wrong)


def test_a_policy_of_another_form_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with Learner(tmp_path / "replay", port), courier(port, described(3)) as (carried, _):
        with pytest.raises(RefusedError, match="another architecture"):
            carried.files(30)
        with pytest.raises(RefusedError):
            carried.check()


def test_without_a_learner_nothing_moves() -> None:
    from slope import actor_config

    from lerobot.rl.pair.command import actor

    with pytest.raises(DeviceConnectionError, match="no learner"):
        actor(actor_config(free_port(), wait_s=0.5))
