"""Every error of the ecosystem: one tree, structured fields, texts of at most four lines.

A text says what happened and with which value, then what was expected, then what to do. Fields carry the same facts
for programs. The command line prints these errors without a traceback; anything else is a bug and keeps its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class LeRobotError(Exception):
    """Base of all errors a user can act on.

    Args:
        what: what happened, with the value it happened with.
        expected: what would have been right; empty when `what` says it all.
        hint: what to do, preferably a command; empty when there is nothing to do.
    """

    def __init__(self, what: str, *, expected: str = "", hint: str = "") -> None:
        self.what = what
        self.expected = expected
        self.hint = hint
        super().__init__(what, expected, hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every field, so that an error crosses process boundaries unchanged."""
        return _restore, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        """The text shown to the user, one fact a line."""
        lines = [self.what]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


def _restore(cls: type[LeRobotError], args: tuple[Any, ...], state: dict[str, Any]) -> LeRobotError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


# --- plugins ---------------------------------------------------------------------------------------------------------


class PluginError(LeRobotError):
    """A plugin could not be found, chosen or loaded.

    Args:
        what: see `LeRobotError`.
        kind: registry kind, such as `"robot"`.
        name: registered name that was asked for.
        distribution: distribution that provides it, when known.
        candidates: nearest or competing names.
        expected: see `LeRobotError`.
        hint: see `LeRobotError`.
    """

    def __init__(
        self,
        what: str,
        *,
        kind: str,
        name: str,
        distribution: str | None = None,
        candidates: Sequence[str] = (),
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, expected=expected, hint=hint)
        self.kind = kind
        self.name = name
        self.distribution = distribution
        self.candidates = tuple(candidates)


class PluginNotFoundError(PluginError, LookupError):
    """No installed or known plugin has this name."""


class PluginNotInstalledError(PluginError, LookupError):
    """The name is known, but the distribution that provides it is not installed."""


class PluginLoadError(PluginError, ImportError):  # type: ignore[misc] # ImportError.name may be None, ours never is
    """The plugin is installed but its module could not be imported; the cause is chained."""


class DuplicatePluginError(PluginError, LookupError):
    """Two distributions claim the same name; `candidates` lists both as `distribution:name`."""


# --- configuration ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with a configuration.

    Attributes:
        where: flag (`--robot.port`), file and line (`run.yaml:12 robot.port`) or variable (`LEROBOT_FPS`).
        given: the text that was given, as typed; None when nothing was given.
        expected: what would have been accepted.
        hint: nearest match or the command to run; may be empty.
    """

    where: str
    given: str | None
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        """The problem on one line."""
        given = "" if self.given is None else f" got {self.given!r},"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}:{given} expected {self.expected}{hint}"


class ConfigError(LeRobotError, ValueError):
    """A command line or file does not describe a valid configuration; carries every problem found."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


# --- features and devices --------------------------------------------------------------------------------------------


class FeatureMismatchError(LeRobotError, ValueError):
    """Names, shapes, dtypes or units of two sides do not fit; `keys` names the offenders."""

    def __init__(self, what: str, *, keys: Sequence[str] = (), expected: str = "", hint: str = "") -> None:
        super().__init__(what, expected=expected, hint=hint)
        self.keys = tuple(keys)


class DeviceError(LeRobotError):
    """A robot, camera or teleoperator failed; `device` names it as in `so101_follower(black)`."""

    def __init__(self, what: str, *, device: str = "", expected: str = "", hint: str = "") -> None:
        super().__init__(what, expected=expected, hint=hint)
        self.device = device

    def tell_role(self, role: str, device: object) -> None:
        """Begin the text with the device and what it is in this run: a port alone is one of several cables.

        Args:
            role: such as `"teleoperator"`.
            device: the device; its text names it.
        """
        if str(device) not in self.what:
            self.what = f"{role} {device}: {self.what}"


class NotConnectedError(DeviceError, ConnectionError):
    """A device was used before `connect()` or after `disconnect()`."""

    def __init__(self, what: str = "the device is not connected.", **facts: str) -> None:
        super().__init__(what, **facts)


class AlreadyConnectedError(DeviceError, ConnectionError):
    """`connect()` was called on a connected device."""

    def __init__(self, what: str = "the device is already connected.", **facts: str) -> None:
        super().__init__(what, **facts)


class DeviceConnectionError(DeviceError, ConnectionError):
    """A device could not be reached, or the connection to it was lost."""


class DeviceTimeoutError(DeviceError, TimeoutError):
    """A device did not answer in time."""


class CalibrationError(DeviceError, ValueError):
    """A calibration is missing, incomplete or not believable."""


class SafetyError(LeRobotError):
    """The safety gate cannot guarantee its limits, so nothing moves."""


# --- data and models -------------------------------------------------------------------------------------------------


class DatasetError(LeRobotError):
    """A dataset is missing, damaged or used against its declaration."""


class CheckpointError(LeRobotError):
    """A policy checkpoint or processor file is missing, damaged or does not fit."""


class JobError(LeRobotError):
    """A large job cannot go on: a shard of it failed for good, or its plan or folder is not what it should be."""
