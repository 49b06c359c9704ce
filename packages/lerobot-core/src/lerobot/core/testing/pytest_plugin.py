"""Fixtures for tests of plugins; pytest loads this module in every session, so it imports only when a fixture runs.

`isolated_registry`: the registry sees core and what the test installs with `tmp_plugin`, nothing else.
`tmp_plugin`: installs tiny distributions for one test.
`lerobot_home`: datasets and calibrations go to an empty folder.
`no_network`: opening a connection to another machine fails the test.
`scripted_prompter`: a person who always presses Enter.
`typist`: a person at a terminal that is the standard input of this process.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lerobot.core.registry import Registry
    from lerobot.core.testing.plugins import PluginFolder
    from lerobot.core.testing.prompter import ScriptedPrompter
    from lerobot.core.testing.typist import Typist


def pytest_configure() -> None:
    """Let pytest explain the assertions of the contract suites as it does those of test files."""
    for contracts in ("lerobot.core.testing.contracts", "lerobot.policies.testing", "lerobot.policies.vla.testing"):
        pytest.register_assert_rewrite(contracts)


@pytest.fixture
def tmp_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[PluginFolder]":
    """A folder on the path into which `install(...)` puts distributions; gone after the test."""
    from lerobot.core.registry import registry
    from lerobot.core.testing.plugins import PluginFolder

    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    plugins = PluginFolder(folder, registry)
    yield plugins
    plugins.forget_modules()
    monkeypatch.undo()
    registry.refresh()


@pytest.fixture
def isolated_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Registry]":
    """The registry without the plugins of this environment; what `tmp_plugin` installs is seen."""
    from lerobot.core.registry import discovery, registry

    def core_or_temporary(**_: Any) -> Iterator[Any]:
        for distribution in everything():
            place = Path(str(distribution.locate_file("")))
            if distribution.name == discovery.CORE or place.is_relative_to(tmp_path):
                yield distribution

    import importlib_metadata

    everything = importlib_metadata.distributions
    with monkeypatch.context() as patch, registry.temporary():
        patch.setattr(importlib_metadata, "distributions", core_or_temporary)
        registry.refresh()
        yield registry
    registry.refresh()


@pytest.fixture
def lerobot_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty LeRobot home for this test; the user's calibrations and datasets are out of reach."""
    home = tmp_path / "lerobot-home"
    home.mkdir()
    for variable in ("LEROBOT_HOME", "HF_LEROBOT_CALIBRATION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(home))
    return home


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail every connection that leaves this machine."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        local = self.family == getattr(socket, "AF_UNIX", None) or str(address[0]) in {"127.0.0.1", "::1", "localhost"}
        if not local:
            pytest.fail(f"the test connects to {address[0]}; tests run without network")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture
def scripted_prompter() -> "ScriptedPrompter":
    """A prompter that presses Enter to everything and remembers what was said and asked."""
    from lerobot.core.testing.prompter import ScriptedPrompter

    return ScriptedPrompter()


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> "Iterator[Typist]":
    """Somebody at a pseudo-terminal that is the standard input of this process."""
    import io

    from lerobot.core.testing.typist import Typist

    with Typist() as typist, io.TextIOWrapper(io.FileIO(typist.terminal, closefd=False)) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield typist
