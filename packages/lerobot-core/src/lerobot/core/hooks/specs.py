"""The hooks: what a plugin may react to. Arguments are given by name; an implementation takes the ones it wants.

Hooks observe. What they return is ignored, they must not change their arguments, and they run in the thread of the
command: one that takes long belongs in a thread of its own.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from lerobot.core.installation import Fact
    from lerobot.core.tick import Tick
    from lerobot.core.types import EpisodeInfo, JointTravel

PROJECT = "lerobot"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function or method as the implementation of the hook it is named after."""


class RunHooks:
    """Life of one command."""

    @hookspec
    def run_start(self, command: str, config: Any) -> None:
        """A command begins; nothing is connected yet.

        Args:
            command: name of the command, such as `"teleoperate"`.
            config: its validated configuration.
        """

    @hookspec
    def run_end(self, command: str, error: BaseException | None) -> None:
        """A command ended; devices are released.

        Args:
            command: name of the command.
            error: what ended it; None if it ended by itself.
        """


class EpisodeHooks:
    """Life of one episode, recorded or rolled out."""

    @hookspec
    def episode_start(self, episode: "EpisodeInfo") -> None:
        """An episode begins.

        Args:
            episode: its number, task and whatever else the command knows.
        """

    @hookspec
    def episode_end(self, episode: "EpisodeInfo") -> None:
        """An episode ended.

        Args:
            episode: as at its start, `metadata` completed by the outcome.
        """


class CalibrationHooks:
    """Calibration by a person."""

    @hookspec
    def calibration_progress(self, joints: "Mapping[str, JointTravel]") -> None:
        """A person moves joints through their travel; called many times a second.

        Args:
            joints: where each joint is and has been, by its name.
        """


class ControlHooks:
    """One turn of the control loop; must take less than a tenth of the period."""

    @hookspec
    def action_sent(self, requested: Mapping[str, Any], sent: Mapping[str, Any], time_s: float) -> None:
        """The robot took a command.

        Args:
            requested: what the command source wanted, in the robot's units.
            sent: what the robot says it sent.
            time_s: monotonic time, seconds.
        """

    @hookspec
    def control_tick(self, tick: "Tick") -> None:
        """A turn of the control loop is complete.

        Args:
            tick: observation, commands and times of the turn.
        """


class LearningHooks:
    """Training and evaluation."""

    @hookspec
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """An optimisation step is done.

        Args:
            step: number of steps done, from 1.
            metrics: loss, its parts, learning rate and times.
        """

    @hookspec
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """An evaluation is complete.

        Args:
            step: training step it belongs to; None outside training.
            results: success rate with its interval, returns, per task and in total.
        """

    @hookspec
    def checkpoint_saved(self, step: int, path: Path) -> None:
        """A checkpoint is complete on disk.

        Args:
            step: training step.
            path: its folder.
        """


class InstallationHooks:
    """The machine and what is installed on it."""

    @hookspec
    def examine_installation(self, tell: "Callable[[Fact], None]") -> None:
        """Somebody asks whether this machine has what the package needs: an accelerator, a codec, a permission.

        Args:
            tell: takes each fact found out.
        """


SPECS: tuple[type, ...] = (
    RunHooks,
    CalibrationHooks,
    EpisodeHooks,
    ControlHooks,
    LearningHooks,
    InstallationHooks,
)
"""Every group of hooks: those of a run in the order of its life."""
