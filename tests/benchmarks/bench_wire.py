"""A round trip over the wire beside the peer's gRPC, in one run and in turns: two 640x480 pictures there, a chunk back.

Usage: bench_wire.py [TRIPS]      (LEROBOT_PEER_PYTHON names the peer's interpreter, with grpcio and protobuf)

Server and client are two processes of this machine on both sides, and the policy answers at once: what is left is
packing, sending and unpacking. The peer's two calls (`SendObservations`, then `GetActions`) are one trip, made with its
own functions and messages; its pictures go as they are. Ours go as they are (`raw`), and as JPEG.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from measure import table

from lerobot.core.types import FeatureSpec
from lerobot.remote.device.policy import PolicyClient
from lerobot.remote.host.policy import PolicyHost
from lerobot.remote.wire.config import ConnectOptions, ListenOptions
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.server import WireServer

HORIZON, JOINTS, TURNS, WARM_UP = 50, 6, 4, 10
PEER = Path(__file__).with_name("peer_grpc_wire.py")


class Ready:
    """A policy that has its answer ready."""

    def __init__(self) -> None:
        self._answer = {"actions": np.zeros((HORIZON, JOINTS), np.float32)}

    @property
    def description(self) -> Description:
        """See `ServedPolicy.description`."""
        image = FeatureSpec("uint8", (480, 640, 3))
        observation = {"front": image, "wrist": image, "observation.state": FeatureSpec("float32", (JOINTS,))}
        facts = {"hash": "0" * 32, "horizon": HORIZON, "n_obs_steps": 1, "executed_steps": HORIZON}
        features = {"observation": observation, "action": {"action": FeatureSpec(shape=(JOINTS,))}}
        return Description("policy", "ready", features, facts)

    def warm_up(self) -> None:
        """Nothing to do."""

    def reset(self) -> None:
        """Nothing to forget."""

    def infer(self, _observation: Mapping[str, Any]) -> dict[str, Any]:
        """The answer."""
        return self._answer


def serve() -> None:
    """Serve it until the input ends."""
    host, stop = PolicyHost(Ready()), threading.Event()
    with WireServer(ListenOptions(port=0), host.handle) as server:
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        sys.stdin.read()
        stop.set()
    host.run(stop)


def pictures() -> dict[str, Any]:
    """Two pictures as a camera's are: smooth, with a little noise."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:480, :640]
    smooth = np.stack([rows / 2, columns / 3, (rows + columns) / 5], axis=-1)
    noisy = [np.clip(smooth + random.normal(scale=4, size=smooth.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    return dict(zip(("front", "wrist"), noisy, strict=True))


def process(stack: ExitStack, *command: str) -> subprocess.Popen[str]:
    """A process that ends with the stack."""
    pipe = subprocess.PIPE
    child = stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
    stack.callback(child.stdin.close if child.stdin else lambda: None)
    return child


def line(child: subprocess.Popen[str]) -> str:
    """The next line it writes."""
    assert child.stdout
    return child.stdout.readline().strip()


def ours(stack: ExitStack, image_format: Any) -> Callable[[int], list[float]]:
    """Makes trips with our server, and gives the seconds of each."""
    address = line(process(stack, sys.executable, __file__, "serve"))
    client = PolicyClient(ConnectOptions(address=address))
    stack.callback(client.close)
    encode, images = PictureEncoder(image_format), pictures()
    state = np.zeros(JOINTS, np.float32)

    def trips(count: int) -> list[float]:
        seconds = []
        for _ in range(count):
            begun_s = time.perf_counter()
            observation = {key: encode(image) for key, image in images.items()}
            client.infer({**observation, "observation.state": state, "prompt": "pick"}, within_s=10)
            seconds.append(time.perf_counter() - begun_s)
        return seconds

    return trips


def peers(stack: ExitStack, python: str) -> Callable[[int], list[float]]:
    """Makes trips with the peer's messages, and gives the seconds of each."""
    address = line(process(stack, python, str(PEER), "serve"))
    client = process(stack, python, str(PEER), "ask", address)

    def trips(count: int) -> list[float]:
        assert client.stdin
        client.stdin.write(f"{count}\n")
        client.stdin.flush()
        seconds: list[float] = json.loads(line(client))
        return seconds

    return trips


def main(count: int) -> None:
    """Take turns, and print the table."""
    with ExitStack() as stack:
        sides = {f"ours, {name}": ours(stack, name) for name in ("raw", "jpeg")}
        if python := os.environ.get("LEROBOT_PEER_PYTHON"):
            sides["peer, gRPC"] = peers(stack, python)
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for trips in sides.values():
            trips(WARM_UP)
        for _ in range(TURNS):
            for name, trips in sides.items():
                seconds[name] += trips(count // TURNS)
    rows = []
    for name, found in seconds.items():
        p50, p99 = (1000 * float(value) for value in np.percentile(found, [50, 99]))
        rows.append([name, len(found), f"{p50:.2f}", f"{p99:.2f}"])
    table(rows, ["wire", "trips", "p50 ms", "p99 ms"])


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
