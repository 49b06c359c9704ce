"""Hosts in threads of this process."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from served_host import Running


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:
        yield lambda host, options=None: stack.enter_context(Running(host, options))
