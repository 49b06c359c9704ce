"""Joining a Ray cluster, and leaving it."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from lerobot.core.errors import JobError
from lerobot.ray.config import RayExecutorConfig

_START = "Start one with: ray start --head, and on every other machine: ray start --address=HOST:6379"
_SLOW = "Ray gives itself half a minute; where other programs have all cores, that may be too short."
_PATIENCE_S = 10.0
_USAGE = "RAY_USAGE_STATS_ENABLED"
_QUIET = {
    # Ray announces that it will leave CUDA_VISIBLE_DEVICES alone for tasks without GPUs.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def joined(config: RayExecutorConfig) -> Iterator[None]:
    """Be part of a cluster; what a notebook has joined before is used, and not left.

    Args:
        config: which one.

    Raises:
        JobError: there is none at this address.
    """
    if ray.is_initialized():
        yield
        return
    _require_reachable(config.address or "")
    with _settings():
        try:
            ray.init(
                address=config.address or "local",
                runtime_env=dict(config.runtime_env) or None,
                include_dashboard=None if config.address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        # A node that starts too slowly raises the base of all errors.
        except Exception as error:
            if config.address is None:
                raise JobError(f"Ray does not start on this machine: {error}", hint=_SLOW) from error
            raise JobError(f"no Ray cluster at {config.address}: {str(error).splitlines()[0]}", hint=_START) from error
    try:
        yield
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Refuse an address where nobody listens; Ray itself tries for minutes."""
    host, _, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S).close()
    except OSError as error:
        raise JobError(f"no Ray cluster at {address}: {error.strerror or error}", hint=_START) from error


@contextmanager
def _settings() -> Iterator[None]:
    """Variables that Ray reads when it starts; what it changes in this process is put back.

    Reports of use to its makers are off unless somebody turned them on. Its handler of SIGTERM would end us without the
    orderly end that ours makes of it.
    """
    given = {name: os.environ.get(name) for name in (_USAGE, *_QUIET, "PYTHONBREAKPOINT", "RAY_CLIENT_MODE")}
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if not (Path.home() / ".ray" / "config.json").exists():
        os.environ.setdefault(_USAGE, "0")
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        for name, before in given.items():
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
