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
    from lerobot.dataset_tools.edit.features import add_features, remove_feature
    from lerobot.dataset_tools.edit.selection import delete_episodes
    from lerobot.dataset_tools.edit.swap import undo
    from lerobot.dataset_tools.edit.tasks import modify_tasks

    root = Path(sys.argv[1])
    print("ready", flush=True)
    while True:
        modify_tasks(root, new_task="other")
        undo(root)
        delete_episodes(root, [0, 3])
        undo(root)
        remove_feature(root, ["action"])
        undo(root)
        reencode_videos(root)
        undo(root)
    """
)


def edit_until_killed(root, delay_s):
    with subprocess.Popen([sys.executable, "-c", EDITOR, str(root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        select.select([], [], [], delay_s)
        assert process.poll() is None, "the editor stopped by itself"
        os.kill(process.pid, signal.SIGKILL)


def state_of(root, kit):
    """Which of the states the dataset is in, every frame of it checked."""
    episodes = kit.read_dataset(root)
    lengths = [len(episode.rows) for episode in episodes]
    labels = {6: [0, 1, 2, 3, 4, 5], 4: [1, 2, 4, 5]}[len(lengths)]
    assert lengths == [LENGTHS[label] for label in labels]
    for label, episode in zip(labels, episodes, strict=True):
        expected = [[label, k, label * 1000 + k] for k in range(len(episode.rows))]
        assert [row["observation.state"] for row in episode.rows] == expected
        for camera, found in enumerate(episode.images.values()):
            assert found == [(camera, label, k) for k in range(len(expected))]
    return len(lengths), episodes[0].task == "other", "action" in episodes[0].rows[0]


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_a_killed_edit_happened_or_did_not(dataset, kit, kills):
    rng = random.Random(kills)
    for _ in range(kills):
        edit_until_killed(dataset, rng.uniform(0, 0.8))
        state = state_of(dataset, kit)
        assert state in {(6, False, True), (6, True, True), (4, False, True), (6, False, False)}
        for backup in backups(dataset):
            state_of(backup, kit)
        if state != (6, False, True):
            # Every original is in a backup: take one and go on.
            whole = [path for path in backups(dataset) if state_of(path, kit) == (6, False, True)]
            assert whole
            dataset = whole[-1]
    delete_episodes(dataset, [0])
    assert state_of_lengths(dataset, kit) == LENGTHS[1:]


def state_of_lengths(root, kit):
    return [len(episode.rows) for episode in kit.read_dataset(root)]
