"""What holds for every test: signals reach its children, it ends, and it leaves the process as it was."""

import contextlib
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType

import hypothesis
import psutil
import pytest
import pytest_timeout

REPEAT_S = 3.0
"""A test past its time is interrupted again this often: what cleans up behind it may wait as well."""

OF_LIBRARIES = {
    "LD_LIBRARY_PATH",  # cv2, when it is imported
    "PYGAME_HIDE_SUPPORT_PROMPT",  # gymnasium, when it is imported
    "PYTEST_CURRENT_TEST",
    "RAY_CLIENT_MODE",  # ray, when it is imported
    "SVT_LOG",  # asks the AV1 encoder to be quiet, for as long as the process lives
    "TORCHINDUCTOR_CACHE_DIR",  # torch, when it exports
}
"""Variables that are set once and mean nothing to another test."""

TIMEOUT = pytest.StashKey[pytest_timeout.Settings]()


# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("in any time", deadline=None)
hypothesis.settings.load_profile("in any time")


def pytest_configure() -> None:
    """Give children the signals that a shell (`&`) or `nohup` made this process ignore.

    What is ignored stays ignored in a program that is started; what has a handler is given its default there.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A test run outlives its terminal under nohup, and so do the workers that it starts.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN or "PYTEST_XDIST_WORKER" in os.environ:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> Generator[None, object, object]:
    """Past its time a test loses its children, so that nothing waits for them, and is interrupted until it ends."""
    armed = yield
    item.stash[TIMEOUT] = settings
    if settings.method == "signal":
        fail = signal.getsignal(signal.SIGALRM)
        assert callable(fail)

        def end(number: int, frame: FrameType | None) -> None:
            if not pytest_timeout.is_debugging():
                for child in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            fail(number, frame)

        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, REPEAT_S)
    return armed


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """A test that failed still has to clean up in time; pytest-timeout stops watching there."""
    if isinstance(node, pytest.Item) and (settings := node.stash.get(TIMEOUT, None)):
        node.ihook.pytest_timeout_set_timer(item=node, settings=settings)


@pytest.fixture(autouse=True)
def _the_process_stays_as_it_was() -> Iterator[None]:
    """Fail the test that leaves a changed environment, folder or handler of a signal to the next one."""
    before = _state()
    yield
    after = _state()
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    assert not changed, f"this test leaves {', '.join(changed)} changed; undo it, with monkeypatch for instance"


def _state() -> dict[str, object]:
    handlers = {number.name: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    environment = {name: value for name, value in os.environ.items() if name not in OF_LIBRARIES}
    return {**environment, **handlers, "the working directory": Path.cwd()}
