"""Reading a gamepad through SDL, without a window and without a display."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lerobot.core.errors import DeviceConnectionError, DeviceError

ENVIRONMENT = {
    # No window is needed, so none is asked for; a pad is heard all the same.
    "SDL_VIDEODRIVER": "dummy",
    "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": "1",
    # Ctrl-C and SIGTERM belong to the program.
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}

EVENTS = (
    *("JOYAXISMOTION", "JOYBALLMOTION", "JOYHATMOTION", "JOYBUTTONDOWN", "JOYBUTTONUP"),
    *("JOYDEVICEADDED", "JOYDEVICEREMOVED"),
)

_unplugged: set[int] = set()
"""Instance numbers of pads that are gone, whichever pad was told so."""


class Pad:
    """One gamepad.

    Args:
        index: which of several, from 0.
        hidapi: read it through HIDAPI rather than the system's driver.
    """

    def __init__(self, index: int, *, hidapi: bool) -> None:
        self._index = index
        self._environment = {**ENVIRONMENT, **({"SDL_JOYSTICK_HIDAPI": "1"} if hidapi else {})}
        self._pygame: Any = None
        self._stick: Any = None
        self._started: list[Any] = []
        self._down: set[int] = set()
        self._pressed: set[int] = set()

    def open(self) -> None:
        """Open the gamepad.

        Raises:
            DeviceConnectionError: there is none of this number.
        """
        with _environment(self._environment):
            self._pygame = pygame = importlib.import_module("pygame")
            # What somebody else has started is left running at the end.
            self._started = [part for part in (pygame.display, pygame.joystick) if not part.get_init()]
            for part in self._started:
                part.init()
        found = pygame.joystick.get_count()
        if self._index >= found:
            raise DeviceConnectionError(
                "No gamepad was found." if not found else f"There is no gamepad {self._index}, {found} are connected.",
                hint="Plug it in or pair it, then start again; --teleop.index chooses one of several.",
            )
        self._stick = pygame.joystick.Joystick(self._index)
        _unplugged.discard(self._stick.get_instance_id())
        self._read()
        # A button that is held already is no press.
        self._pressed.clear()

    def require(self, axes: dict[str, int], buttons: dict[str, int]) -> None:
        """Check that the pad has what is configured.

        Args:
            axes: number of each axis by what it is used for.
            buttons: number of each button by what it is used for.

        Raises:
            DeviceError: it has fewer; names the settings.
        """
        counts = {"axes": (axes, self._stick.get_numaxes()), "buttons": (buttons, self._stick.get_numbuttons())}
        for kind, (wanted, count) in counts.items():
            beyond = [f"{kind}.{use}={number}" for use, number in wanted.items() if number >= count]
            if beyond:
                raise DeviceError(
                    f"Gamepad '{self._stick.get_name()}' has {count} {kind}, but {', '.join(beyond)} is configured.",
                    expected=f"numbers below {count}",
                    hint=f"Set them, as in --teleop.{beyond[0].partition('=')[0]}=0",
                )

    def axis(self, number: int) -> float:
        """Deflection of an axis, -1 to 1."""
        self._read()
        return max(-1.0, min(1.0, float(self._stick.get_axis(number))))

    def held(self, button: int) -> bool:
        """Whether a button is down."""
        self._read()
        return button in self._down

    def pressed(self) -> set[int]:
        """Buttons that went down since the last call."""
        self._read()
        pressed, self._pressed = self._pressed, set()
        return pressed

    def _read(self) -> None:
        """Take in what happened since the last time.

        The queue is one for all pads: it is emptied, so that it never fills up, and what it says about other pads is
        kept for them.
        """
        pygame = self._pygame
        events = pygame.event.get([getattr(pygame, name) for name in EVENTS])
        _unplugged.update(event.instance_id for event in events if event.type == pygame.JOYDEVICEREMOVED)
        if self._stick.get_instance_id() in _unplugged:
            raise DeviceConnectionError(
                "The gamepad was unplugged or switched off.", hint="Connect it, then start again."
            )
        down = {button for button in range(self._stick.get_numbuttons()) if self._stick.get_button(button)}
        self._pressed |= down - self._down
        self._down = down

    def close(self) -> None:
        """Release the pad; calling it again does nothing."""
        stick, self._stick = self._stick, None
        if stick is not None:
            stick.quit()
        for part in reversed(self._started):
            part.quit()
        self._started = []


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables that are not set for the block; SDL reads them when it starts."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
