"""The command around the steps: what is skipped, what is said, how it ends."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from lerobot.core.errors import LeRobotError
from lerobot.quickstart import command, running
from lerobot.quickstart.commands.quickstart import QuickstartConfig
from lerobot.quickstart.results import episodes_recorded

NAMES = ["record", "record", "edit-dataset", "verify-dataset", "train", "eval", "train", "eval"]
VERIFY, TRAIN = 3, 4


class Stand:
    """Runs nothing: notes each command and leaves what it would have left; may fail or be stopped in one."""

    def __init__(self, leave: Callable[[tuple[str, ...]], None]) -> None:
        self.leave = leave
        self.commands: list[tuple[str, ...]] = []
        self.stages: list[int] = []
        self.fails_at: int | None = None
        self.stopped_at: int | None = None

    def __call__(self, jobs: list[running.Job], signals: object, look: Callable[[], None]) -> list[int]:
        look()
        self.stages.append(len(jobs))
        return [self._run(command, log, signals) for command, log in jobs]

    def _run(self, command: tuple[str, ...], log: Path, signals: object) -> int:
        number = len(self.commands)
        self.commands.append(command)
        log.parent.mkdir(parents=True, exist_ok=True)
        if number == self.fails_at:
            log.write_text("INFO fine\nerror: the disk is full\n")
            return 1
        if number == self.stopped_at:
            with signals.graceful():
                os.kill(os.getpid(), signal.SIGINT)
            return 130
        self.leave(command)
        return 0

    @property
    def names(self) -> list[str]:
        return [command[0] for command in self.commands]


@pytest.fixture
def stand(leave, monkeypatch: pytest.MonkeyPatch) -> Stand:
    made = Stand(leave)
    monkeypatch.setattr(command, "run", made)
    return made


def config(folder: Path, **fields: object) -> QuickstartConfig:
    return QuickstartConfig(output_dir=folder, **fields)


def test_it_runs_every_step_once_and_writes_the_page(stand: Stand, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "quickstart"
    assert command.quickstart(config(folder)) == 0
    assert stand.names == NAMES
    assert stand.stages == [2, 1, 1, 1, 1, 1, 1], "two recordings at once"
    said = capsys.readouterr().out
    assert said.index("OMP_NUM_THREADS=1 lerobot record \\\n  --robot.type=sim_so101") < said.index(
        "lerobot train \\\n"
    )
    assert "Success: 96 % (48 of 50 episodes; 95 % interval 88 to 99 %)" in said
    assert "Untrained: 0 % (0 of 50" in said
    assert (folder / "report.html").read_text().startswith("<!doctype html>")

    assert command.quickstart(config(folder)) == 0
    assert stand.names == NAMES, "nothing is run again"
    assert capsys.readouterr().out.count("done before") == 8


def test_what_was_deleted_is_made_again(stand: Stand, tmp_path: Path) -> None:
    command.quickstart(config(tmp_path))
    (tmp_path / "eval" / "eval_info.json").unlink()
    command.quickstart(config(tmp_path))
    assert stand.names == [*NAMES, "eval"]


def test_a_step_that_fails_shows_its_last_words_and_is_tried_again(stand: Stand, tmp_path: Path, capsys) -> None:
    stand.fails_at = TRAIN
    with pytest.raises(LeRobotError, match="lerobot train ended with exit code 1"):
        command.quickstart(config(tmp_path))
    assert "| error: the disk is full" in capsys.readouterr().err
    assert command.quickstart(config(tmp_path)) == 0
    assert stand.names == [*NAMES[: TRAIN + 1], *NAMES[TRAIN:]]


def test_findings_of_the_check_are_shown_and_the_rest_follows(stand: Stand, tmp_path: Path, capsys) -> None:
    stand.fails_at = VERIFY
    assert command.quickstart(config(tmp_path)) == 0
    assert stand.names == NAMES
    assert "| error: the disk is full" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(stand: Stand, tmp_path: Path, capsys) -> None:
    stand.stopped_at = TRAIN
    folder = tmp_path / "here"
    assert command.quickstart(config(folder, short=True)) == 130
    assert f"lerobot quickstart --output_dir={folder} --short=true" in capsys.readouterr().err
    assert stand.names == NAMES[: TRAIN + 1]
    assert command.quickstart(config(folder, short=True)) == 0
    assert stand.names == [*NAMES[: TRAIN + 1], *NAMES[TRAIN:]]


def test_a_folder_keeps_its_settings(stand: Stand, tmp_path: Path) -> None:
    command.quickstart(config(tmp_path, steps=30))
    with pytest.raises(LeRobotError) as caught:
        command.quickstart(config(tmp_path, steps=40))
    assert "steps 30" in caught.value.what
    assert caught.value.expected == "steps 40"
    assert "--output_dir" in caught.value.hint


def test_a_folder_of_somebody_else_is_left_alone(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(LeRobotError, match="something else than a quickstart"):
        command.quickstart(config(tmp_path))
    assert stand.commands == []


def test_two_at_once_are_refused(stand: Stand, tmp_path: Path) -> None:
    command.quickstart(config(tmp_path))
    with FileLock(tmp_path / ".lock"), pytest.raises(LeRobotError, match="another quickstart is at work"):
        command.quickstart(config(tmp_path))


@pytest.mark.parametrize("content", ["{", "[]", '{"settings": {}}'])
def test_a_damaged_journal_is_named(stand: Stand, tmp_path: Path, content: str) -> None:
    (tmp_path / "quickstart.json").write_text(content)
    with pytest.raises(LeRobotError, match=r"quickstart\.json cannot be read"):
        command.quickstart(config(tmp_path))


def test_of_two_recordings_only_the_one_that_failed_goes_on(stand: Stand, tmp_path: Path, capsys) -> None:
    stand.fails_at = 1
    with pytest.raises(LeRobotError, match="lerobot record ended with exit code 1"):
        command.quickstart(config(tmp_path))
    assert "| error: the disk is full" in capsys.readouterr().err
    assert command.quickstart(config(tmp_path)) == 0
    assert stand.stages[:3] == [2, 1, 1]
    assert f"--dataset.root={tmp_path / 'data-2'}" in stand.commands[2]
    assert episodes_recorded(tmp_path / "data") == 300


def test_time_is_counted_over_interruptions_and_once_where_two_ran(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    ticks = iter(range(0, 1000, 10))
    monkeypatch.setattr(command.time, "monotonic", lambda: float(next(ticks)))
    stand.fails_at = 0
    with pytest.raises(LeRobotError):
        command.quickstart(config(tmp_path))
    command.quickstart(config(tmp_path))
    seconds = json.loads((tmp_path / "quickstart.json").read_text())["seconds"]
    assert (seconds["record-1"], seconds["record-2"], seconds["train"]) == (20.0, 10.0, 10.0)
    assert "80 s in all" in capsys.readouterr().out
