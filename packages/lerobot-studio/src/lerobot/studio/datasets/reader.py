"""The process that reads recordings: this one has neither Arrow nor a video library, and stays small."""

import asyncio
import json
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import IO, Any, cast

from lerobot.core.cli.names import command_kind
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.studio.answer import words_of

IDLE_S = 300.0
_COMMAND, _CHECK = "describe-dataset", "verify-dataset"
_PATIENCE_S = 5.0
_LONGEST_ANSWER = 2**28
"""Bytes of a line: an episode of some thousand rows has some hundred thousand."""


class Reader:
    """Asks `lerobot describe-dataset --follow`, one process that is started when it is needed and ends when it is idle.

    Args:
        idle_s: after which time without a question it ends.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._said: IO[bytes] | None = None
        self._end: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def ask(self, what: str, root: Path, **details: Any) -> dict[str, Any]:
        """Ask about a recording; see `lerobot describe-dataset --help`.

        Raises:
            LeRobotError: what the process says is wrong, or why there is none.
        """
        line = json.dumps({"ask": what, "root": str(root), **details})
        # Shielded: a page that goes away meanwhile must not leave its answer to the next one.
        told = json.loads(await asyncio.shield(self._exchange(line)))
        if "error" in told:
            raise LeRobotError(told["error"])
        answer: dict[str, Any] = told["answer"]
        return answer

    def close(self) -> None:
        """End the process when it has answered; its films go with it."""
        if self._end is not None:
            self._end.cancel()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._said is not None:
            self._said.close()
        self._process = self._said = None

    async def end(self) -> None:
        """End the process now, whatever it is about."""
        process = self._process
        self.close()
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE_S)
            except TimeoutError:
                process.kill()

    async def _exchange(self, line: str) -> bytes:
        async with self._lock:
            if self._end is not None:
                self._end.cancel()
            if self.pid is None:
                await self._start()
            process = self._process
            assert process is not None  # noqa: S101 # it was started, with both pipes
            asks, answers = cast("tuple[asyncio.StreamWriter, asyncio.StreamReader]", (process.stdin, process.stdout))
            try:
                asks.write(line.encode() + b"\n")
                await asks.drain()
                answer = await answers.readline()
            except ConnectionError:
                answer = b""
            if not answer:
                raise LeRobotError(f"{_COMMAND} ended: {self._last_words()}")
            self._end = asyncio.get_running_loop().call_later(self._idle_s, self.close)
            return answer

    async def _start(self) -> None:
        registry.find(command_kind(_COMMAND), _COMMAND)  # says how to install what is missing
        self.close()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 # as long as the process
        self._process = await asyncio.create_subprocess_exec(
            *words_of(_COMMAND, "--follow"), stdin=PIPE, stdout=PIPE, stderr=self._said, limit=_LONGEST_ANSWER
        )

    def _last_words(self) -> str:
        if self._said is None:
            return "nobody knows why"
        self._said.seek(0)
        words = self._said.read()[-500:].decode(errors="replace").strip()
        self.close()
        return words or "it said nothing"


async def findings(root: Path, *, pictures: bool) -> list[dict[str, Any]]:
    """Check a recording with `lerobot verify-dataset`; ends it if this is cancelled.

    Args:
        root: its folder.
        pictures: decode every image too, which takes about as long as to record them.

    Raises:
        LeRobotError: it cannot be checked.
    """
    registry.find(command_kind(_CHECK), _CHECK)
    words = words_of(_CHECK, f"--root={root}", "--format=json", f"--pictures={str(pictures).lower()}")
    process = await asyncio.create_subprocess_exec(*words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        told, said = await process.communicate()
        found: list[dict[str, Any]] = json.loads(told)
    except ValueError as error:
        raise LeRobotError(f"{_CHECK} failed: {said.decode(errors='replace')[-500:].strip()}") from error
    finally:
        if process.returncode is None:
            process.terminate()
    return found
