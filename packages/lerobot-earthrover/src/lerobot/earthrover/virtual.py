"""The server of the SDK of an EarthRover, with a virtual rover behind it: for tests, and to try commands on.

Its routes, and what they answer, are those of github.com/frodobots-org/earth-rovers-sdk.
"""

import asyncio
import base64
import io
import json
import math
import random
import re
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

from PIL import Image

TOP_SPEED = 1.0
"""Metres per second at full speed."""
TOP_TURN = 90.0
"""Degrees per second at full turning speed."""
METRES_PER_DEGREE = 111_320.0
"""Of latitude."""
TELEMETRY_S = 0.2
"""How often the rover tells something new."""
REMEMBERED = 100_000
MAX_BODY = 65_536


@dataclass(slots=True)
class Faults:
    """What is wrong with the server; nothing is, at first.

    Attributes:
        delay_s: time before every answer.
        lost: share of requests that are cut without an answer.
        garbage: share of answers that are no JSON.
        corrupt: share of answers in which a byte is another one.
        refusal: detail of an error 503 in place of every answer.
        frozen: images and telemetry stay as they are, and so do their times.
        clock_offset_s: what the clock of the rover is wrong by.
    """

    delay_s: float = 0.0
    lost: float = 0.0
    garbage: float = 0.0
    corrupt: float = 0.0
    refusal: str = ""
    frozen: bool = False
    clock_offset_s: float = 0.0


@dataclass(slots=True)
class Rover:
    """The rover itself: it goes on as it was told last, as the real one does."""

    linear: float = 0.0
    angular: float = 0.0
    lamp: int = 0
    heading: float = 128.0
    latitude: float = 22.753
    longitude: float = 114.095
    now_s: float = field(default_factory=time.monotonic)

    def advance(self) -> None:
        """Move until now."""
        now_s = time.monotonic()
        passed_s, self.now_s = now_s - self.now_s, now_s
        self.heading = (self.heading - self.angular * TOP_TURN * passed_s) % 360
        way = self.linear * TOP_SPEED * passed_s / METRES_PER_DEGREE
        self.latitude += way * math.cos(math.radians(self.heading))
        self.longitude += way * math.sin(math.radians(self.heading)) / math.cos(math.radians(self.latitude))

    def telemetry(self, timestamp: float) -> dict[str, Any]:
        """What it tells."""
        wheels = 60 * self.linear
        return {
            "battery": 96,
            "signal_level": 5,
            "orientation": round(self.heading),
            "lamp": self.lamp,
            "speed": abs(self.linear) * TOP_SPEED,
            "gps_signal": 28.5,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "vibration": 0.4,
            "timestamp": timestamp,
            "accels": [[0.0, 0.0, 1.0, timestamp]],
            "gyros": [[0.0, 0.0, self.angular * TOP_TURN, timestamp]],
            "mags": [[-30.0, 10.5, 3.25, timestamp]],
            "rpms": [[wheels, wheels, wheels, wheels, timestamp]],
        }


class VirtualRover:
    """The server; a context manager.

    Args:
        port: to listen on, of this computer only; 0 is a free one.
        seed: of the faults' chance.

    Attributes:
        faults: what is wrong; may be changed while it runs.
        requests: method, path and body of what came, oldest first.
        fixed: answers by path that are given in place of its own.
    """

    def __init__(self, port: int = 0, *, seed: int = 0) -> None:
        self.faults = Faults()
        self.requests: deque[tuple[str, str, bytes]] = deque(maxlen=REMEMBERED)
        self.fixed: dict[str, dict[str, Any]] = {}
        self._rover = Rover()
        self._lock = threading.Lock()
        self._chance = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._told: dict[str, tuple[float, dict[str, Any]]] = {}
        # Bound here, so that `url` is known, and a port that is taken is an error, before anything runs.
        self._socket = socket.create_server(("127.0.0.1", port))
        self._port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="virtual EarthRover", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def velocity(self) -> tuple[float, float]:
        """Forward and to the left, as the rover was told last."""
        with self._lock:
            return self._rover.linear, self._rover.angular

    @property
    def commands(self) -> list[dict[str, Any]]:
        """The commands that came."""
        return [json.loads(body)["command"] for method, _, body in list(self.requests) if method == "POST"]

    def set_lamp(self, lamp: int) -> None:
        """Switch the lamp, as somebody with the vendor's app does."""
        with self._lock:
            self._rover.lamp = lamp

    def close(self) -> None:
        """End it, and every connection to it; calling it again does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
        self._socket.close()
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """One thread, whatever the number of connections."""
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._attend, sock=self._socket)
        await self._end.wait()
        server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for each in serving:
            each.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        # From Python 3.12 on this waits for the connections, so they end first.
        await server.wait_closed()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, until the client goes or is cut off."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = head.decode("latin-1").split(maxsplit=2)
                found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(min(int(found[1]), MAX_BODY) if found else 0)
                if self.faults.delay_s:
                    await asyncio.sleep(self.faults.delay_s)
                answer = self._answer(method, path, body)
                if answer is None:
                    return
                status, content = answer
                writer.write(b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\n" % status)
                writer.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
            return  # the client is gone, or is none
        finally:
            writer.close()

    # --- what it answers ---------------------------------------------------------------------------------------------

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Status and content; None: the connection is cut."""
        faults = self.faults
        self.requests.append((method, path, body))
        with self._lock:
            lost, garbage, corrupt = (self._chance.random() for _ in range(3))
            if lost < faults.lost:
                return None
            if garbage < faults.garbage:
                return 200, self._chance.randbytes(self._chance.randrange(200))
            if faults.refusal:
                return 503, json.dumps({"detail": faults.refusal}).encode()
            status, answer = self._told_or_taken(method, path, body)
            content = json.dumps(answer).encode()
            if corrupt < faults.corrupt:
                place = self._chance.randrange(len(content))
                content = content[:place] + self._chance.randbytes(1) + content[place + 1 :]
            return status, content

    def _told_or_taken(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if path in self.fixed:
            return 200, self.fixed[path]
        match method, path:
            case "GET", "/data":
                return 200, self._now_and_then(path, TELEMETRY_S)
            case "GET", "/v2/front" | "/v2/rear":
                return 200, self._now_and_then(path, 0.0)
            case "POST", "/control":
                return self._take(body)
        return 404, {"detail": "Not Found"}

    def _take(self, body: bytes) -> tuple[int, dict[str, Any]]:
        command = json.loads(body).get("command")
        if not command:
            return 400, {"detail": "Command not provided"}
        rover = self._rover
        rover.advance()
        rover.linear, rover.angular = float(command["linear"]), float(command["angular"])
        rover.lamp = int(command.get("lamp", rover.lamp))
        return 200, {"message": "Command sent successfully"}

    def _now_and_then(self, path: str, period_s: float) -> dict[str, Any]:
        """The answer of a route, which changes after some time."""
        now_s = time.time()
        before = self._told.get(path)
        if before is not None and (self.faults.frozen or now_s - before[0] < period_s):
            return before[1]
        timestamp = now_s + self.faults.clock_offset_s
        self._rover.advance()
        if path == "/data":
            answer = self._rover.telemetry(timestamp)
        else:
            view = path.rpartition("/")[2]
            answer = {f"{view}_frame": _image(view, self._rover), "timestamp": timestamp}
        self._told[path] = now_s, answer
        return answer


def _image(view: str, rover: Rover) -> str:
    """A plain colour that turns with the rover, as JPEG in base64."""
    shade = round(rover.heading * 255 / 360)
    colour = (199, shade, 9) if view == "front" else (9, shade, 199)
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "jpeg")
    return base64.b64encode(file.getvalue()).decode()
