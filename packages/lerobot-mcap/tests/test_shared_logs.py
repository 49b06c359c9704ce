"""The logs whose every value is written down beside them: frames are worked out anew here from that description."""

import logging

import numpy as np
import pytest

from lerobot.core.errors import LeRobotError

T0 = 1_700_000_000 * 10**9

FRONT = np.array([round(i * 1e9 / 30) for i in range(90) if i not in (40, 41)])
FRONT_NUMBERS = np.array([i for i in range(90) if i not in (40, 41)])
WRIST = np.array([round(0.010e9 + i * 1e9 / 15) for i in range(45)])


def frames(start_s):
    return np.round(start_s * 1e9 + np.arange(30) * 1e9 / 30).astype(np.int64)


def nearest(stamps, times):
    distances = np.abs(stamps[None] - times[:, None])
    return distances.argmin(axis=1)  # of equal distances the first one, which is the earlier


def hold(stamps, times):
    return np.array([np.flatnonzero(stamps <= time)[-1] for time in times])


def test_every_value_of_both_episodes(shared, two_cameras, tmp_path, kit, caplog):
    with caplog.at_level(logging.INFO):
        kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    found = kit.read(tmp_path / "set")
    assert found.lengths == [30, 30]
    assert found.tasks == ["pick up the cube"] * 30 + ["place the cube"] * 30
    assert found.columns["outcome"] == ["success"] * 30 + ["failure"] * 30
    assert found.features["observation.state"]["names"] == ["joint_1", "joint_2", "gripper"]
    assert found.features["action"]["names"] == ["joint_1", "joint_2", "gripper"]
    times = np.concatenate([frames(0.5), frames(1.8)])
    joints = np.arange(300) * 10_000_000
    t = np.arange(300) * 0.010
    rows = hold(joints, times)
    grip = np.where((t < 1.0) | (t >= 2.3), 0.04, 0.0)
    np.testing.assert_allclose(
        found.columns["observation.state"], np.stack([t, 2 * t, grip], axis=1)[rows], rtol=0, atol=1e-12
    )
    np.testing.assert_array_equal(found.columns["stamp_ns.observation.state"], T0 + joints[rows])
    commands = np.array([5_000_000 + i * 50_000_000 for i in range(60)])
    c = commands[hold(commands, times)] / 1e9
    gripper = np.array([0.04, 0.0, 0.04])[hold(np.array([1_000_000, 1_001_000_000, 2_301_000_000]), times)]
    np.testing.assert_allclose(found.columns["action"], np.stack([c + 0.1, 2 * c + 0.1, gripper], axis=1), atol=1e-9)
    for key, stamps in (("front", FRONT), ("wrist", WRIST)):
        chosen = stamps[nearest(stamps, times)]
        np.testing.assert_array_equal(found.columns[f"stamp_ns.observation.images.{key}"], T0 + chosen)
        relative = (chosen - np.repeat([times[0], times[30]], 30)) / 1e9
        np.testing.assert_allclose(found.columns[f"capture_time.observation.images.{key}"], relative, atol=1e-12)
    repeated = [np.count_nonzero(np.diff(nearest(WRIST, times[e : e + 30])) == 0) for e in (0, 30)]
    assert f"wrist {sum(repeated)}" in caplog.text
    assert "wrist is recorded 60 ms after it was measured; commands, gripper may be as late" in caplog.text
    assert "front is recorded 35 ms after it was measured" in caplog.text
    assert "joints is recorded" not in caplog.text
    shown = FRONT_NUMBERS[nearest(FRONT, times)]
    corner = found.columns["observation.images.front"][:, -4:, -4:].mean(axis=(1, 2))
    bar = (3 * shown % 56) < 48  # where the white bar is not in the corner that is looked at
    expected = np.stack([2 * shown % 256, 255 - 2 * shown, np.full(60, 64)], axis=1)
    assert np.abs(corner - expected)[bar].max() <= 4


@pytest.mark.parametrize(
    ("clock", "align", "time_s", "sequence"),
    [
        ("log", "hold", 0.5, 13),
        ("header", "nearest", 1.366666667, 40),
        ("header", "hold", 1.366666667, 39),
    ],
)
def test_the_table_of_frames_at_a_gap(shared, two_cameras, tmp_path, kit, clock, align, time_s, sequence):
    """Values of the table beside the log, which says the sequence number of each chosen image."""
    two_cameras["streams"]["front"] |= {"clock": clock, "align": align, "tolerance_ms": 70}
    del two_cameras["features"]["observation.images.wrist"], two_cameras["streams"]["wrist"]
    kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    found = kit.read(tmp_path / "set")
    row = round((time_s - 0.5) * 30)
    delay = 35_000_000 if clock == "log" else 0
    assert found.columns["stamp_ns.observation.images.front"][row] == T0 + FRONT[sequence] + delay


@pytest.mark.parametrize(("policy", "lengths"), [("cut", [26, 3, 30]), ("drop", [30])])
def test_a_gap_is_said_and_cuts_or_drops_the_episode(shared, two_cameras, tmp_path, kit, caplog, policy, lengths):
    two_cameras["on_gap"] = policy
    two_cameras["streams"]["front"] |= {"align": "hold", "tolerance_ms": 33.4}
    with caplog.at_level(logging.WARNING):
        kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    # Image 39 is of 1.300 s and covers 1.333 s; 42 is of 1.400 s.
    assert (
        "/camera/front/image_raw/compressed (front) has no message for frames 26 to 26, 1.367 to 1.367 s" in caplog.text
    )
    assert kit.read(tmp_path / "set").lengths == lengths


def test_a_gap_can_be_refused(shared, two_cameras, tmp_path, kit):
    two_cameras["on_gap"] = "refuse"
    two_cameras["streams"]["front"] |= {"align": "hold", "tolerance_ms": 33.4}
    with pytest.raises(LeRobotError, match=r"has no message for frames 26 to 26, 1\.367 to 1\.367 s"):
        kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_lines_are_exact_between_messages(shared, two_cameras, tmp_path, kit):
    two_cameras["streams"]["joints"] |= {"align": "linear"}
    kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    found = kit.read(tmp_path / "set")
    t = np.concatenate([frames(0.5), frames(1.8)]) / 1e9
    np.testing.assert_allclose(found.columns["observation.state"][:, :2], np.stack([t, 2 * t], axis=1), atol=1e-12)


def test_an_encoding_that_nobody_knows_matters_only_to_its_topic(shared, two_cameras, tmp_path, kit):
    log = shared / "mixed_encodings.mcap"
    kit.convert(log, two_cameras, tmp_path / "set")
    assert kit.read(tmp_path / "set").lengths == [30, 30]
    two_cameras["streams"]["note"] = {"topic": "/operator/note", "clock": "log", "align": "hold", "tolerance_ms": 10}
    two_cameras["streams"]["note"] |= {"align": "nearest", "tolerance_ms": float("inf")}
    two_cameras["features"]["note"] = [{"stream": "note", "field": "text"}]
    kit.convert(log, two_cameras, tmp_path / "noted")
    assert set(kit.read(tmp_path / "noted").columns["note"]) == {"end of log"}


def test_the_middle_of_an_import_goes_on(shared, two_cameras, tmp_path, kit, capsys):
    kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    kit.convert(shared / "two_cameras.mcap", two_cameras, tmp_path / "set")
    assert "2 episodes, 60 frames; 2 of them were there" in capsys.readouterr().out
