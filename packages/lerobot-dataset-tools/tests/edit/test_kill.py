"""SIGKILL at random instants of edits, again and again, on one dataset: it is always one state or the other, whole."""

import os
import random
import select
import signal
import subprocess
import sys
import textwrap

import pytest

from lerobot.dataset_tools.edit.selection import delete_episodes
from lerobot.dataset_tools.edit.swap import backups

LENGTHS = [3, 4, 1, 5, 2, 6]

EDITOR = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from lerobot.dataset_tools.edit.cameras import reencode_videos
    from lerobot.dataset_tools.edit.features import add_feature, remove_feature, rename_feature
    from lerobot.dataset_tools.edit.selection import delete_episodes
    from lerobot.dataset_tools.edit.swap import undo
    from lerobot.dataset_tools.edit.tasks import modify_tasks

    root, turn = Path(sys.argv[1]), int(sys.argv[2])
    edits = [
        lambda: modify_tasks(root, new_task="other"),
        lambda: delete_episodes(root, [0, 3]),
        lambda: delete_episodes(root, where="mean(observation.state[a]) == 5"),
        lambda: remove_feature(root, ["action"]),
        lambda: rename_feature(root, {"action": "command", "observation.images.left": "observation.images.wrist"}),
        lambda: add_feature(root, "extra", shape=(2,), values=[1, 2]),
        lambda: reencode_videos(root),
    ]
    print("ready", flush=True)
    while True:
        edits[turn % len(edits)]()
        undo(root)
        turn += 1
    """
)


ORIGINAL = (6, False, frozenset({"action"}))
STATES = {
    ORIGINAL,
    (6, True, frozenset({"action"})),
    (4, False, frozenset({"action"})),
    (5, False, frozenset({"action"})),
    (6, False, frozenset()),
    (6, False, frozenset({"command"})),
    (6, False, frozenset({"action", "extra"})),
}
"""Episodes, whether they have the other task, and which of the columns that edits change there are."""


def edit_until_killed(root, turn, delay_s):
    command = [sys.executable, "-c", EDITOR, str(root), str(turn)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        select.select([], [], [], delay_s)
        assert process.poll() is None, "the editor stopped by itself"
        os.kill(process.pid, signal.SIGKILL)


def state_of(root, kit):
    """Which of the states the dataset is in, every frame of it checked."""
    episodes = kit.read_dataset(root)
    lengths = [len(episode.rows) for episode in episodes]
    labels = {6: [0, 1, 2, 3, 4, 5], 5: [0, 1, 2, 3, 4], 4: [1, 2, 4, 5]}[len(lengths)]
    assert lengths == [LENGTHS[label] for label in labels]
    for label, episode in zip(labels, episodes, strict=True):
        expected = [[label, k, label * 1000 + k] for k in range(len(episode.rows))]
        assert [row["observation.state"] for row in episode.rows] == expected
        for camera, found in enumerate(episode.images.values()):
            assert found == [(camera, label, k) for k in range(len(expected))]
    return len(lengths), episodes[0].task == "other", frozenset(episodes[0].rows[0]) & {"action", "command", "extra"}


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_a_killed_edit_happened_or_did_not(dataset, kit, kills):
    rng = random.Random(kills)
    for turn in range(kills):
        edit_until_killed(dataset, turn, rng.uniform(0, 0.8))
        state = state_of(dataset, kit)
        assert state in STATES
        for backup in backups(dataset):
            state_of(backup, kit)
        if state != ORIGINAL:
            # Every original is in a backup: take one and go on.
            whole = [path for path in backups(dataset) if state_of(path, kit) == ORIGINAL]
            assert whole
            dataset = whole[-1]
    delete_episodes(dataset, [0])
    assert state_of_lengths(dataset, kit) == LENGTHS[1:]


def state_of_lengths(root, kit):
    return [len(episode.rows) for episode in kit.read_dataset(root)]
