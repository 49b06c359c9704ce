"""Times of messages: alignment against plain loops, clocks that go wrong, episodes, gaps, and logs of several files."""

import logging

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.dataset_tools.formats.config import FilesFormatConfig
from lerobot.mcap.align import align, grid, runs
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.inspection.survey import survey
from lerobot.mcap.log.log import Log

T0 = 1_700_000_000 * 10**9
MS = 1_000_000

stamps = st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True).map(sorted)
times = st.lists(st.integers(-3, 15), min_size=1, max_size=8).map(sorted)
tolerances = st.one_of(st.integers(1, 6), st.just(float("inf")))


def by_hand(policy, stamps, time, tolerance):
    """Numbers of the messages and the weight of the second; None where there is none."""
    if policy == "hold":
        number = max((i for i, stamp in enumerate(stamps) if stamp <= time), default=None)
        return None if number is None or time - stamps[number] > tolerance else (number, number, 0)
    if policy == "nearest":
        number = min(range(len(stamps)), key=lambda i: (abs(stamps[i] - time), i))
        return None if abs(stamps[number] - time) > tolerance else (number, number, 0)
    if time in stamps:
        return stamps.index(time), stamps.index(time), 0
    for i in range(len(stamps) - 1):
        if stamps[i] < time < stamps[i + 1] and stamps[i + 1] - stamps[i] <= tolerance:
            return i, i + 1, (time - stamps[i]) / (stamps[i + 1] - stamps[i])
    return None


@given(st.sampled_from(["hold", "nearest", "linear"]), stamps, times, tolerances)
def test_alignment(policy, stamps, times, tolerance):
    found = align(policy, T0 + np.array(stamps) * MS, T0 + np.array(times) * MS, tolerance)
    for row, time in enumerate(times):
        expected = by_hand(policy, stamps, time, tolerance)
        assert found.found[row] == (expected is not None)
        if expected is not None:
            assert (found.first[row], found.second[row]) == expected[:2]
            assert found.weight[row] == pytest.approx(expected[2], abs=1e-12)


@given(st.integers(1, 240), st.integers(0, 5 * 10**9))
def test_a_grid_never_drifts(fps, length):
    found = grid(T0, T0 + length, fps)
    expected = []
    while (time := T0 + round(len(expected) * 10**9 / fps)) < T0 + length:
        expected.append(time)
    np.testing.assert_array_equal(found, expected)


def test_runs():
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.array([False, False])) == []


def contract(**changes):
    return Contract.model_validate(
        {
            "fps": 10,
            "task": "t",
            "on_gap": "cut",
            "stamps": True,
            "streams": {"s": {"topic": "/s", "clock": "header", "align": "hold", "tolerance_ms": 150}},
            "features": {"observation.state": [{"stream": "s", "field": "position", "names": ["a"]}]},
            **changes,
        }
    )


def write(path, kit, stamps, log_times=None):
    with kit.LogWriter(path) as log:
        for i, stamp in enumerate(stamps):
            time = T0 + round(1000 * i) * MS if log_times is None else log_times[i]
            log.joints("/s", stamp, ["a"], [float(i)], time)
    return path


def opened(path, contract):
    source = McapConfig(path=path, contract=contract).build()
    try:
        return [
            (
                [float(row["observation.state/s.position"][0]) for row in frames],
                [int(r["stamp_ns.observation.state"][0]) for r in frames],
            )
            for episode in range(len(source.episodes))
            if (frames := list(source.frames(episode, [field.name for field in source.fields])))
        ]
    finally:
        source.close()


def at(*tenths):
    return [T0 + tenth * 100 * MS for tenth in tenths]


def test_late_messages_are_sorted_and_of_two_with_one_time_the_last_counts(tmp_path, kit, caplog):
    path = write(tmp_path / "a.mcap", kit, at(0, 2, 1, 3, 3, 4))
    with caplog.at_level(logging.WARNING):
        [(values, times)] = opened(path, contract())
    assert values == [0, 2, 1, 4, 5]
    assert times == at(0, 1, 2, 3, 4)
    assert "/s: 1 message out of order; sorted by header time" in caplog.text
    assert "/s: 1 message have the time of another; the last one counts" in caplog.text


@pytest.mark.parametrize(
    ("stamps", "what"),
    [
        (at(0, 50, 10), r"/s: times \(header\) run back by 4 s at message 2"),
        ([*at(0, 1), 0], r"message 2 of /s cannot be read: its stamp is 0: the sender measured no time"),
    ],
)
def test_clocks_that_cannot_be_trusted(tmp_path, kit, stamps, what):
    path = write(tmp_path / "a.mcap", kit, stamps)
    with pytest.raises(DatasetError, match=what) as refused:
        opened(path, contract())
    assert "clock: log" in refused.value.hint
    by_log = {"topic": "/s", "clock": "log", "align": "hold", "tolerance_ms": 1500}
    [(values, _)] = opened(path, contract(fps=1, streams={"s": by_log}))
    assert values == [0, 1, 2]


def test_a_clock_of_another_machine_is_said(tmp_path, kit, caplog):
    path = write(tmp_path / "a.mcap", kit, at(0, 1, 2), [time - 5 * 10**9 for time in at(0, 1, 2)])
    with caplog.at_level(logging.WARNING):
        opened(path, contract())
    assert "measured 5000 ms after it was recorded; clocks differ" in caplog.text


@pytest.mark.parametrize(
    ("changes", "what", "expected"),
    [
        ({"topic": "/ss"}, "has no message of /ss", "one of /s"),
        ({"type": "sensor_msgs/msg/Image"}, "/s has messages of sensor_msgs/msg/JointState", "sensor_msgs/msg/Image"),
        ({"stamp": "header.time"}, "there is no field 'time' of header.time, only sec, nanosec|only stamp", ""),
    ],
)
def test_streams_that_are_not_there(tmp_path, kit, changes, what, expected):
    path = write(tmp_path / "a.mcap", kit, at(0, 1))
    stream = {"topic": "/s", "clock": "header", "align": "hold", "tolerance_ms": 150, **changes}
    with pytest.raises(DatasetError, match=what) as refused:
        opened(path, contract(streams={"s": stream}))
    assert expected in refused.value.expected


def test_the_next_state_as_action(tmp_path, kit, caplog):
    path = write(tmp_path / "a.mcap", kit, at(0, 1, 2, 3, 30))
    state = {"stream": "s", "field": "position", "names": ["a"]}
    features = {"observation.state": [state], "action": [{**state, "ahead": 2}]}
    chosen = contract(features=features, episodes={"by": "gap", "stream": "s", "longer_than_s": 1.0})
    source = McapConfig(path=path, contract=chosen).build()
    assert len(source.episodes) == 1
    rows = list(source.frames(0, [field.name for field in source.fields]))
    source.close()
    assert [row["observation.state/s.position"].item() for row in rows] == [0, 1]
    assert [row["action/s.position"].item() for row in rows] == [2, 3]
    assert [row["stamp_ns.action"].item() for row in rows] == at(2, 3)
    assert [row["capture_time.action"] for row in rows] == pytest.approx([0.2, 0.3])
    assert "left out, it has only 1 frame" in caplog.text


def test_a_time_far_in_the_future_takes_no_memory(tmp_path, kit):
    path = write(tmp_path / "a.mcap", kit, [*at(0, 1), 2_147_000_000 * 10**9])
    with pytest.raises(DatasetError, match="its messages are of 447000000 seconds, which are 4470000000 frames"):
        opened(path, contract())
    found = opened(path, contract(episodes={"by": "gap", "stream": "s", "longer_than_s": 1.0}))
    assert [values for values, _ in found] == [[0, 1], [2]]


def test_the_survey_of_a_folder_takes_each_log_for_itself(tmp_path, kit):
    write(tmp_path / "1.mcap", kit, at(1000, 1001, 1002))
    write(tmp_path / "2.mcap", kit, at(0, 1, 4))
    [topic] = survey([Log(tmp_path / "1.mcap"), Log(tmp_path / "2.mcap")])
    assert topic.clock == "header"
    assert topic.interval_s == pytest.approx(0.1)
    assert topic.longest_gap_s == pytest.approx(0.3)
    assert topic.jitter_ms == pytest.approx(200, abs=10)


def test_several_senders_on_one_topic(tmp_path, kit):
    path = tmp_path / "a.mcap"
    with kit.LogWriter(path) as log:
        for i in range(5):
            log.joints("/s", *at(i), ["a"], [float(i)])
            log.joints("/s", T0 + i * 100 * MS + 1, ["g"], [10.0 + i])
    [(values, _)] = opened(path, contract())
    assert values == [0, 1, 2, 3, 4]
    named = {"observation.state": [{"stream": "s", "field": "position", "names": ["a", "g"]}]}
    with pytest.raises(DatasetError, match="message 0 of /s cannot be read: it names a, and not g"):
        opened(path, contract(features=named))
    named["observation.state"][0]["names"] = ["x"]
    with pytest.raises(DatasetError, match="/s has no message with x") as refused:
        opened(path, contract(features=named))
    assert "some of g" in refused.value.expected


def test_silences_between_episodes(tmp_path, kit):
    path = write(tmp_path / "a.mcap", kit, at(0, 1, 2, 30, 31, 60))
    found = opened(path, contract(episodes={"by": "gap", "stream": "s", "longer_than_s": 1.0}))
    assert [values for values, _ in found] == [[0, 1, 2], [3, 4], [5]]


def test_every_message_of_a_stream_is_a_frame(tmp_path, kit):
    uneven = [T0, T0 + 7, T0 + 90 * MS, T0 + 91 * MS]
    [(values, times)] = opened(write(tmp_path / "a.mcap", kit, uneven), contract(grid="s"))
    assert values == [0, 1, 2, 3]
    assert times == uneven


def test_events_that_do_not_fit(tmp_path, kit, caplog):
    path = tmp_path / "a.mcap"
    with kit.LogWriter(path) as log:
        for i in range(60):
            log.joints("/s", *at(i), ["a"], [float(i)])
        for tenth, text in [(1, "end"), (5, "go x"), (10, "end"), (20, "go y"), (30, "go z"), (40, "end"), (50, "go")]:
            log.text("/e", *at(tenth), text)
        log.text("/e", *at(52), "go last")
    events = {"by": "event", "topic": "/e", "start": "go {task}", "stop": "end"}
    with caplog.at_level(logging.WARNING):
        source = McapConfig(path=path, contract=contract(task=None, episodes=events)).build()
    tasks = [next(source.frames(i, ["task"]))["task"] for i in range(len(source.episodes))]
    source.close()
    assert tasks == ["x", "z"]
    assert "'end' at 0.100 s ends no episode" in caplog.text
    assert "the episode from 2.000 s on is left out: nothing ends it" in caplog.text
    assert "the episode from 5.200 s on is left out" in caplog.text


def test_a_log_without_a_whole_frame(tmp_path, kit):
    path = tmp_path / "a.mcap"
    with kit.LogWriter(path) as log:
        log.joints("/s", *at(0), ["a"], [1.0])
        log.joints("/late", *at(50), ["a"], [1.0])
    late = {"topic": "/late", "clock": "header", "align": "hold", "tolerance_ms": 150}
    streams = {"s": {"topic": "/s", "clock": "header", "align": "hold", "tolerance_ms": 150}, "late": late}
    features = {
        "observation.state": [{"stream": "s", "field": "position"}],
        "action": [{"stream": "late", "field": "position"}],
    }
    with pytest.raises(DatasetError, match="no episode is left"):
        opened(path, contract(streams=streams, features=features))


def test_folders_bags_and_some_of_their_files(tmp_path, kit):
    folder = tmp_path / "logs"
    bag = folder / "run_10"
    bag.mkdir(parents=True)
    write(folder / "run_2.mcap", kit, at(0, 1))
    write(bag / "run_0.mcap", kit, at(10, 11))
    write(bag / "run_1.mcap", kit, at(12, 13))
    files = ["elsewhere/run_0.mcap", "run_1.mcap"]
    (bag / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": {"relative_file_paths": files}}))
    found = opened(folder, contract())
    assert [times for _, times in found] == [at(0, 1), at(10, 11, 12, 13)]
    config = McapConfig(path=folder, contract=contract(), files=["run_10"])
    assert isinstance(config, FilesFormatConfig)
    assert config.chosen_files() == [bag]
    source = config.build()
    assert len(source.episodes) == 1
    source.close()
    (bag / "run_1.mcap").unlink()
    with pytest.raises(DatasetError, match=r"there is no .*run_1\.mcap"):
        opened(bag, contract())


def test_an_import_in_shards_is_the_import(tmp_path, kit):
    logs = tmp_path / "logs"
    logs.mkdir()
    for i in range(3):
        write(logs / f"{i}.mcap", kit, at(*range(10 * i, 10 * i + 4)))
    # One of them has no episode.
    with kit.LogWriter(logs / "2.mcap") as log:
        log.joints("/s", *at(20), ["a"], [1.0])
        log.joints("/t", *at(40), ["a"], [1.0])
    for i in range(2):
        with kit.LogWriter(logs / f"{i}.mcap") as log:
            for tenth in range(10 * i, 10 * i + 4):
                for topic in ("/s", "/t"):
                    log.joints(topic, *at(tenth), ["a"], [float(tenth)])
    stream = {"clock": "header", "align": "hold", "tolerance_ms": 150}
    chosen = {
        "fps": 10,
        "task": "t",
        "on_gap": "cut",
        "streams": {"s": {"topic": "/s", **stream}, "t": {"topic": "/t", **stream, "tolerance_ms": float("inf")}},
        "features": {
            "observation.state": [{"stream": "s", "field": "position", "names": ["a"]}],
            "action": [{"stream": "t", "field": "position", "names": ["a"]}],
        },
    }
    kit.convert(logs, chosen, tmp_path / "whole")
    kit.convert(
        logs, chosen, tmp_path / "shards", "--executor=local", "--executor.workers=1", "--shard_size_in_mb=0.0001"
    )
    whole, shards = kit.read(tmp_path / "whole"), kit.read(tmp_path / "shards")
    assert whole.lengths == shards.lengths == [4, 4]
    for key, values in whole.columns.items():
        np.testing.assert_array_equal(values, shards.columns[key])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[1", "it is no YAML"),
        ("rosbag2_bagfile_information: {relative_file_paths: []}", "it lists no files"),
        ("rosbag2_bagfile_information: 3", "metadata.yaml cannot be read"),
        ("rosbag2_bagfile_information: {relative_file_paths: [a.db3]}", r"a\.db3 cannot be read"),
    ],
)
def test_metadata_that_says_nothing(tmp_path, content, what):
    (tmp_path / "a.db3").write_bytes(b"")
    (tmp_path / "metadata.yaml").write_text(content)
    with pytest.raises(DatasetError, match=what):
        opened(tmp_path, contract())


def test_a_thousand_logs_need_few_open_files(tmp_path, kit):
    for i in range(40):
        write(tmp_path / f"{i}.mcap", kit, at(10 * i, 10 * i + 1))
    source = McapConfig(path=tmp_path, contract=contract()).build()
    try:
        for episode in range(40):
            list(source.frames(episode, ["stamp_ns.observation.state"]))
            assert sum(file._file is not None for log in source._logs for file in log._files) <= 1
    finally:
        source.close()


def test_without_a_contract_the_command_that_makes_one_is_named(tmp_path, kit):
    path = write(tmp_path / "a.mcap", kit, at(0))
    with pytest.raises(LeRobotError, match=r"(?s)nothing says what the topics.*lerobot mcap-contract") as refused:
        McapConfig(path=path).build()
    assert str(path) in refused.value.hint
