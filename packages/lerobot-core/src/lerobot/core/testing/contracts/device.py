"""What robots, teleoperators and cameras have in common: configuration and life cycle."""

import inspect
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.config.base import PluginConfig
from lerobot.core.errors import AlreadyConnectedError, NotConnectedError
from lerobot.core.testing.contracts.base import Contract
from lerobot.core.testing.prompter import ScriptedPrompter


class InjectedFault(RuntimeError):  # noqa: N818 - it is thrown at a device, not by one
    """The failure that a contract puts into a device."""


class DeviceContract(Contract):
    """Life cycle of every device. Supply the fixture `config`; override `make` if building needs more than that."""

    @pytest.fixture
    def config(self) -> PluginConfig:
        """Configuration of a device that works without hardware, on a virtual bus for instance."""
        pytest.fail("define a fixture `config` that returns your device's configuration")

    def make(self, config: PluginConfig) -> Any:
        """Build the device; its questions are answered with Enter if its constructor takes a `prompter`."""
        from lerobot.core.registry import registry

        accepted = inspect.signature(registry.implementation(config)).parameters
        return config.build(**({"prompter": ScriptedPrompter()} if "prompter" in accepted else {}))

    def use(self, device: Any) -> None:
        """Do something that needs the connection; the contract of each kind says what."""
        pytest.fail(f"define use(self, device): what needs {device} to be connected?")

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the second half of `connect` fail with `InjectedFault`; `configure` is broken by default."""

        def fail() -> None:
            raise InjectedFault("configure failed, as the contract wants")

        monkeypatch.setattr(device, "configure", fail)

    @pytest.fixture(autouse=True)
    def _no_questions(self, monkeypatch: pytest.MonkeyPatch, lerobot_home: Path) -> None:  # noqa: ARG002
        """Nobody sits at the terminal, and the user's own files are out of reach."""

        def refuse(*_: Any) -> str:
            pytest.fail("the device asks the terminal; talk to the person through the injected `prompter` only")

        monkeypatch.setattr("builtins.input", refuse)
        monkeypatch.setattr(sys.stdin, "readline", refuse, raising=False)

    @pytest.fixture
    def device(self, config: PluginConfig, _no_questions: None) -> Iterator[Any]:
        """The device, not connected; disconnected after the test."""
        device = self.make(config)
        yield device
        device.disconnect()

    @pytest.fixture
    def connected(self, device: Any) -> Any:
        """The device, connected."""
        device.connect()
        return device

    # --- configuration -----------------------------------------------------------------------------------------------

    def test_config_survives_json(self, config: PluginConfig) -> None:
        """A configuration written as JSON and read again is the same one.

        Repair: give fields types pydantic can write and read, and keep derived values out of the configuration.
        """
        assert type(config).model_validate_json(config.model_dump_json()) == config

    def test_config_has_a_type(self, config: PluginConfig) -> None:
        """`type` is the registered name by default, so that a saved configuration finds its plugin.

        Repair: write `type: str = "my_device"` in the configuration class, equal to the entry point's name.
        """
        default = type(config).model_fields["type"].default
        assert default, "the configuration class gives `type` no default"
        assert config.type == default

    # --- life cycle --------------------------------------------------------------------------------------------------

    def test_it_has_a_name(self, device: Any) -> None:
        """`name` is the folder of calibration files and a dataset's `robot_type`.

        Repair: set the class attribute `name` to a lower-case word without slashes.
        """
        assert isinstance(device.name, str)
        assert device.name
        assert not set(device.name) & set("/\\ ")

    def test_it_starts_disconnected(self, device: Any) -> None:
        """Building a device opens nothing.

        Repair: open ports, sockets and threads in `connect`, not in the constructor.
        """
        assert not device.is_connected

    def test_use_before_connect_is_refused(self, device: Any) -> None:
        """Reading or commanding a device that is not connected raises `NotConnectedError`.

        Repair: call `self.require_connected()` (DeviceBase) first in every method that needs the device.
        """
        with pytest.raises(NotConnectedError):
            self.use(device)

    def test_connect_makes_it_usable(self, connected: Any) -> None:
        """After `connect` the device can be used.

        Repair: return from `connect` only when the first reading would succeed.
        """
        assert connected.is_connected
        self.use(connected)

    def test_connecting_twice_is_refused(self, connected: Any) -> None:
        """A second `connect` raises `AlreadyConnectedError` and leaves the connection as it is.

        Repair: wrap the body of `connect` in `with self._connecting():` (DeviceBase).
        """
        with pytest.raises(AlreadyConnectedError):
            connected.connect()
        assert connected.is_connected
        self.use(connected)

    def test_disconnect_may_be_repeated(self, device: Any) -> None:
        """`disconnect` does nothing when there is nothing to release, before and after a connection.

        Repair: let `_close` release only what is held, and forget it once released.
        """
        device.disconnect()
        device.connect()
        device.disconnect()
        device.disconnect()
        assert not device.is_connected
        with pytest.raises(NotConnectedError):
            self.use(device)

    def test_it_can_be_connected_again(self, connected: Any) -> None:
        """A device that was disconnected can be connected and used again.

        Repair: create threads and buffers in `connect`; release ports completely in `_close`.
        """
        connected.disconnect()
        connected.connect()
        self.use(connected)

    def test_leaving_the_context_disconnects(self, device: Any) -> None:
        """`with device:` disconnects, also when the block raises, and does not hide the exception.

        Repair: derive from DeviceBase, or let `__exit__` call `disconnect` and return nothing.
        """
        with pytest.raises(InjectedFault), device:  # noqa: PT012 - what happens inside is what is tested
            assert device.is_connected
            raise InjectedFault
        assert not device.is_connected

    def test_a_failed_connect_releases_everything(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """When `connect` fails half-way nothing stays open: no thread is left and a new attempt succeeds.

        Repair: wrap the body of `connect` in `with self._connecting():` and release everything in `_close`, whatever
        the state. If your `connect` does not call `configure()`, override `break_connect` to make it fail another way.
        """
        threads = set(threading.enumerate())
        with monkeypatch.context() as patch:
            self.break_connect(device, patch)
            with pytest.raises(InjectedFault):
                device.connect()
        assert not device.is_connected
        assert not set(threading.enumerate()) - threads, "a thread was left behind"
        device.connect()
        self.use(device)

    def test_no_thread_is_left(self, device: Any) -> None:
        """Every thread the device started has ended when `disconnect` returns.

        Repair: set a stop event and `join()` the thread in `_close`.
        """
        threads = set(threading.enumerate())
        device.connect()
        self.use(device)
        device.disconnect()
        assert not set(threading.enumerate()) - threads
