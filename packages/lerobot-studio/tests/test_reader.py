"""The process that reads recordings: each question has its own answer, whatever happens to it or to the page."""

import asyncio
import sys
import time
from pathlib import Path

import psutil
import pytest
from studio_client import Studio

from lerobot.core.errors import LeRobotError
from lerobot.studio.datasets import reader as room
from lerobot.studio.datasets.reader import Reader, findings

ECHO = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    if asked["ask"] == "die":
        os._exit(3)
    time.sleep(asked.get("wait_s", 0))
    told = {"error": "no"} if asked["ask"] == "wrong" else {"answer": {**asked, "pid": os.getpid()}}
    print(json.dumps(told), flush=True)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A process that answers with the question stands for the command."""
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    monkeypatch.setattr(room, "words_of", lambda *_words: [sys.executable, "-IS", str(script)])
    return tmp_path


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_questions_at_once_and_one_that_nobody_waits_for(root: Path) -> None:
    async def run() -> None:
        reader = Reader()
        await reader.ask("first", root)
        given_up = asyncio.create_task(reader.ask("one", root, wait_s=0.3))
        await asyncio.sleep(0.1)
        given_up.cancel()
        answers = await asyncio.gather(*(reader.ask(f"more {i}", root) for i in range(20)))
        assert [answer["ask"] for answer in answers] == [f"more {i}" for i in range(20)]
        assert len({answer["pid"] for answer in answers}) == 1
        with pytest.raises(LeRobotError, match=r"^no$"):
            await reader.ask("wrong", root)
        await reader.end()
        until_gone(answers[0]["pid"])

    asyncio.run(run())


def test_a_process_that_dies_is_started_again(root: Path) -> None:
    async def run() -> None:
        reader = Reader()
        first = await reader.ask("one", root)
        with pytest.raises(LeRobotError, match="without an answer"):
            await reader.ask("die", root)
        second = await reader.ask("one", root)
        psutil.Process(second["pid"]).kill()
        until_gone(second["pid"])
        await asyncio.sleep(0.05)
        third = await reader.ask("one", root)
        assert len({first["pid"], second["pid"], third["pid"]}) == 3
        await reader.end()

    asyncio.run(run())


def test_it_ends_when_nobody_asks(root: Path) -> None:
    async def run() -> None:
        reader = Reader(idle_s=0.05)
        first = await reader.ask("one", root)
        await asyncio.to_thread(until_gone, first["pid"])
        await asyncio.sleep(0.05)
        assert (await reader.ask("one", root))["pid"] != first["pid"]
        await reader.end()

    asyncio.run(run())


def test_a_check_that_fails_says_why(root: Path) -> None:
    (root / "echo.py").write_text("import sys; sys.exit('the disk is on fire')")
    with pytest.raises(LeRobotError, match="verify-dataset failed: the disk is on fire"):
        asyncio.run(findings(root, pictures=True))


def test_a_page_that_goes_away_ends_its_check(root: Path, studio: Studio) -> None:
    import http.client

    (studio.home / "meta").mkdir()
    (studio.home / "meta/info.json").write_text("{}")
    (root / "echo.py").write_text("import time; time.sleep(60)")
    before = {child.pid for child in psutil.Process().children()}
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=20)
    connection.request("GET", f"/datasets/findings?root={studio.home}&pictures=1", headers=dict(studio.headers))
    deadline = time.monotonic() + 20
    while not (started := {child.pid for child in psutil.Process().children()} - before):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    connection.close()
    for pid in started:
        until_gone(pid)
