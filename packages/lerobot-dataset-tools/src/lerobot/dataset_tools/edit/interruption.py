"""Stopping an edit: between two steps, before its result is in place."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lerobot.core.signals import Stopped, stop_signals


@contextmanager
def whole_or_nothing() -> Iterator[None]:
    """Let the first signal end an edit only where its functions look for one, and say that it did nothing."""
    try:
        with stop_signals().graceful():
            yield
    except Stopped:
        typer.echo("the edit was stopped; no dataset was changed, and nothing half-written is left", err=True)
        raise
