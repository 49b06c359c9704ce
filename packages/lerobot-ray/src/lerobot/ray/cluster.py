"""Joining a Ray cluster, and leaving it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from lerobot.core.errors import JobError
from lerobot.ray.config import RayExecutorConfig

_START = "Start one with: ray start --head, and on every other machine: ray start --address=HOST:6379"
_SLOW = "Ray gives itself half a minute; where other programs have all cores, that may be too short."
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
    with _environment():
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


@contextmanager
def _environment() -> Iterator[None]:
    """Variables that Ray reads when it starts; reports of use to its makers are off unless somebody turned them on."""
    chosen = _USAGE in os.environ or (Path.home() / ".ray" / "config.json").exists()
    added = {name: value for name, value in _QUIET.items() if name not in os.environ}
    if not chosen:
        added[_USAGE] = "0"
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
