"""Pages of trainings, evaluations and rollouts: what they show and hand out, what they start, and what they refuse."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from studio_client import Studio
from test_outputs import checkpoint, journal, report, write

from lerobot.studio.answer import Answer


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a studio that starts later."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


@pytest.fixture
def started(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Commands that were started; none of them runs."""
    commands: list[tuple[str, list[str]]] = []

    def start(command: str, arguments: Sequence[str]) -> SimpleNamespace:
        commands.append((command, list(arguments)))
        return SimpleNamespace(id="a-run")

    monkeypatch.setattr(studio.app.state.runs, "start", start)
    return commands


def test_a_training_is_shown_with_its_films_and_goes_on_from_its_newest_checkpoint(
    work: Path, studio: Studio, started: list[tuple[str, list[str]]]
) -> None:
    run = work / "outputs/train/act"
    for step in (100, 200):
        checkpoint(run, step)
    write(run / "metrics.csv", "step,loss\n100,0.5\n200,0.25\n")
    film = write(run / "eval/videos_step_000200/sim_0/eval_episode_0.mp4", "0123456789")
    assert "200 of 300" in studio.get("/train").text
    page = studio.get(f"/train/view?folder={run}").text
    assert "step 000200, sim 0, episode 0" in page
    assert json.loads(studio.get(f"/train/curves?folder={run}").text) == {"step": [100, 200], "loss": [0.5, 0.25]}
    address = f"/film?folder={run}&name={film.relative_to(run)}"
    assert address.replace("/", "%2F").removeprefix("%2F") in page.replace("&amp;", "&").replace("/", "%2F")
    part = studio.ask("GET", address, Range="bytes=2-4")
    assert (part.status, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
    answer = studio.post("/train/resume", {"folder": str(run), "steps": "400"})
    assert answer.status == 303
    newest = run / "checkpoints/000200/pretrained_model/train_config.json"
    assert started == [("train", [f"--config_path={newest}", "--resume=true", "--steps=400"])]


@pytest.mark.parametrize(
    "query",
    [
        "folder={run}&name=../secret.mp4",
        "folder={run}&name=/etc/passwd",
        "folder={run}&name=link.mp4",
        "folder={run}&name=metrics.csv",
        "folder={run}/..&name=secret.mp4",
        "folder=/&name=etc/passwd",
        "name=x.mp4",
    ],
)
def test_only_films_of_runs_are_handed_out(work: Path, studio: Studio, query: str) -> None:
    run = work / "outputs/train/act"
    write(run / "metrics.csv", "step\n1\n")
    secret = write(work / "outputs/train/secret.mp4", "secret")
    (run / "link.mp4").symlink_to(secret)
    answer = studio.get("/film?" + query.format(run=run))
    assert (answer.status, "secret\n" in answer.text) == (400, False)
    assert studio.get(f"/train/view?folder={work}").status == 400


def test_policies_are_shown_with_their_intervals_and_chosen_to_be_compared(work: Path, studio: Studio) -> None:
    first, second = checkpoint(work / "outputs/train/a", 100), checkpoint(work / "outputs/train/b", 100)
    evaluation = work / "outputs/eval/2026-01-31/reach"
    journal(evaluation, 4, path=str(first))
    report(evaluation, [True, False, True, True])
    journal(work / "outputs/eval/2026-01-31/begun", 3)
    page = studio.get("/evaluate").text
    assert "75.0 %" in page
    assert "30.1 to 95.4 %" in page
    assert "3 of 4" in page
    assert "3 kept" in page
    assert str(second) in page
    assert "75.0 %" in studio.get(f"/evaluate/view?folder={evaluation}").text
    studio.app.state.remembered.keep("eval", ["--policy.path=old", "--compare=[]", "--env.type=sim"])
    answer = studio.get(f"/evaluate/choose?policy={first}&policy={second}")
    form = studio.get(answer.headers["location"]).text
    for flag in (f"--policy.path={first}", f"'--compare=[{{path: '\"'\"'{second}'\"'\"'}}]'", "--env.type=sim"):
        assert flag in form.replace("&#39;", "'").replace("&#34;", '"')


def test_a_rollout_starts_when_its_check_was_seen(
    work: Path, studio: Studio, started: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = checkpoint(work / "outputs/train/a", 100)
    asked: list[tuple[str, ...]] = []
    code = 1

    def ask(*words: str) -> Answer:
        asked.append(words)
        return Answer("lerobot check", code, "it has no wrist camera")

    monkeypatch.setattr("lerobot.studio.learn.rollout.ask", ask)
    fields = {
        "--policy.path": str(policy),
        "--robot.type": "fake",
        "--robot.id": "a",
        "--duration": "1",
        "wish": "start",
    }
    for _ in range(2):
        page = studio.post("/rollout", fields)
        assert (page.status, "no wrist camera" in page.text, "insist" in page.text) == (200, True, True)
    assert started == []
    assert {*asked[0]} == {"check", f"--policy.path={policy}", "--robot.id=a", "--robot.type=fake"}
    # Another robot is another check, also for somebody who insists.
    assert studio.post("/rollout", {**fields, "--robot.id": "b", "insist": "yes"}).status == 200
    assert studio.post("/rollout", {**fields, "insist": "yes"}).status == 303
    code = 0
    other = {**fields, "--robot.id": "c"}
    page = studio.post("/rollout", other)
    assert (page.status, "insist" in page.text, "press Start again" in page.text) == (200, False, True)
    assert len(started) == 1
    assert studio.post("/rollout", {**other, "--duration": "2"}).status == 303
    assert [command for command, _ in started] == ["rollout", "rollout"]
    assert studio.post("/rollout", other).status == 200, "a check counts for one start"
