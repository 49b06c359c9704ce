"""The processes that read recordings: this one has neither Arrow nor a video library, and stays small."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any, cast

from lerobot.core.cli.names import command_kind
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.studio.answer import words_of

_DESCRIBE, _VERIFY = "describe-dataset", "verify-dataset"
_LONGEST_ANSWER = 2**28
"""Bytes of a line: an episode of some thousand rows has some hundred thousand."""


class Reader:
    """Asks `lerobot describe-dataset --follow`, one process that is started when it is needed.

    Args:
        idle_s: after which time without a question it is ended.
    """

    def __init__(self, idle_s: float = 300.0) -> None:
        self._idle_s = idle_s
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, what: str, root: Path, **details: Any) -> dict[str, Any]:
        """Ask about a recording; see `lerobot describe-dataset --help`.

        Raises:
            LeRobotError: what the process says is wrong, or that it ended.
        """
        # Shielded: a page that goes away meanwhile must not leave its answer to the next one.
        line = await asyncio.shield(self._exchange(json.dumps({"ask": what, "root": str(root), **details})))
        if not line:
            hint = f"lerobot {_DESCRIBE} --root={root} says why."
            raise LeRobotError(f"{_DESCRIBE} ended without an answer.", hint=hint)
        # In a thread, as all that takes as long as a large recording is: robots wait for the beat of this loop.
        told = await asyncio.to_thread(json.loads, line)
        if "error" in told:
            raise LeRobotError(told["error"])
        answer: dict[str, Any] = told["answer"]
        return answer

    async def end(self) -> None:
        """End the process, whatever it is about, and the films that it made."""
        process, self._process = self._process, None
        if self._idle is not None:
            self._idle.cancel()
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()

    async def _exchange(self, line: str) -> bytes:
        async with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            if self._process is None or self._process.returncode is not None:
                registry.find(command_kind(_DESCRIBE), _DESCRIBE)  # says how to install what is missing
                words = words_of(_DESCRIBE, "--follow")
                self._process = await asyncio.create_subprocess_exec(
                    *words, stdin=PIPE, stdout=PIPE, limit=_LONGEST_ANSWER
                )
            pipes = self._process.stdin, self._process.stdout
            asks, answers = cast("tuple[asyncio.StreamWriter, asyncio.StreamReader]", pipes)
            try:
                asks.write(line.encode() + b"\n")
                await asks.drain()
                answer = await answers.readline()
            except ConnectionError:
                answer = b""
            if not answer:
                await self.end()
            # Its input ends, and with that the process.
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, asks.close)
            return answer


async def findings(root: Path, *, pictures: bool) -> list[dict[str, Any]]:
    """What `lerobot verify-dataset` finds; the command is ended if this is cancelled.

    Args:
        root: folder of the recording.
        pictures: decode every image too, which can take as long as to record them.

    Raises:
        LeRobotError: it cannot be checked.
    """
    registry.find(command_kind(_VERIFY), _VERIFY)
    words = words_of(_VERIFY, f"--root={root}", "--format=json", f"--pictures={str(pictures).lower()}")
    process = await asyncio.create_subprocess_exec(*words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        told, said = await process.communicate()
        found: list[dict[str, Any]] = json.loads(told)
    except ValueError as error:
        raise LeRobotError(f"{_VERIFY} failed: {said.decode(errors='replace')[-500:].strip()}") from error
    finally:
        if process.returncode is None:
            process.terminate()
    return found
