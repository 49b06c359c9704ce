"""Let a person correct the policy with a teleoperator, and record the corrections.

Source: Ross, Gordon and Bagnell 2011, arXiv:1011.0686 (DAgger).
"""

from enum import StrEnum
from typing import Any

import numpy as np

from lerobot.core.control.status import StatusLine
from lerobot.core.tick import Tick
from lerobot.rollout.handover import HANDOVER_S, Commander, SharedSource
from lerobot.rollout.pedal import Pedal
from lerobot.rollout.recording.session import AfterRamp, RecordedRun, drive, recorded_run
from lerobot.rollout.stage import Stage
from lerobot.rollout.strategies.sentry import rows_of
from lerobot.rollout.strategy import DAggerStrategyConfig

INTERVENTION, COMMANDED_BY = "intervention", "commanded_by"
COLUMNS: dict[str, Any] = {
    INTERVENTION: {"dtype": "bool", "shape": (1,), "names": None},
    COMMANDED_BY: {"dtype": "string", "shape": (1,), "names": None},
}


class DAggerWish(StrEnum):
    """What a person may ask for."""

    PAUSE_RESUME = "pause_resume"
    """Stop the policy, or let it go on."""
    CORRECTION = "correction"
    """Begin or end a correction, while the policy is stopped."""
    UPLOAD = "upload"
    """Upload the dataset when the robot is at rest."""
    STOP = "stop"
    """End the run."""


class DAggerStrategy:
    """See the module.

    Args:
        config: its configuration.
    """

    def __init__(self, config: DAggerStrategyConfig) -> None:
        self.config = config

    def run(self, stage: Stage) -> int:
        """See `Strategy.run`.

        Raises:
            FeatureMismatchError: the teleoperator does not fit the robot.
            DatasetError: the dataset cannot be created, resumed, written or uploaded.
        """
        config, teleoperator = self.config, stage.fitting_teleoperator()
        if teleoperator is None:
            raise ValueError("corrections without a teleoperator; the configuration is checked for that")
        wishes = (DAggerWish.PAUSE_RESUME, DAggerWish.CORRECTION, DAggerWish.UPLOAD)
        keys = {getattr(config.keyboard, wish): wish for wish in wishes} | {"esc": DAggerWish.STOP}
        pedal = None
        if config.input_device == "pedal":
            pedal = Pedal(config.pedal.device_path, {getattr(config.pedal, wish): wish for wish in wishes})
        with recorded_run(
            stage, wishes=DAggerWish, keys=keys, teleoperator=teleoperator, columns=COLUMNS, pedal=pedal
        ) as run:
            status = StatusLine()
            run.session.close_later("status line", status.close)
            ticks = round(HANDOVER_S * stage.rate_hz) if config.smooth_handover else 0
            source = SharedSource(stage.acting, teleoperator, ticks, stage.steps_of(teleoperator))
            drive(stage, run, source, DAggerSink(run, stage, source, config), (source, status))
        return run.session.signals.exit_code


class DAggerSink:
    """Passes on what a person asks for, and records.

    Args:
        run: see there.
        stage: see there.
        source: commands the robot.
        config: of the strategy.
    """

    def __init__(self, run: RecordedRun, stage: Stage, source: SharedSource, config: DAggerStrategyConfig) -> None:
        self._run = run
        self._source = source
        self._autonomous = config.record_autonomous
        self._most = rows_of(stage, config.target_video_file_size_mb)
        self._episodes = config.num_episodes or run.dataset.num_episodes
        self._ramp = AfterRamp(stage.config.safety.ramp_s if stage.config.safety.enabled else 0.0)

    def write(self, tick: Tick) -> None:
        """See `Sink.write`; this tick was commanded before its wishes are fulfilled."""
        commander = self._source.commander
        if self._ramp.follows(tick) and commander is not Commander.NOBODY:
            self._record(tick, commander)
        for wish in self._run.controls.poll():
            self._fulfil(wish)

    def _record(self, tick: Tick, commander: Commander) -> None:
        corrected, stream = commander is Commander.PERSON, self._run.stream
        if not corrected and not self._autonomous:
            return
        stream.add(tick, {INTERVENTION: np.array([corrected]), COMMANDED_BY: str(commander)})
        # A correction is not cut in two.
        if not corrected and stream.rows >= self._most:
            self._cut()

    def _fulfil(self, wish: str) -> None:
        run, before = self._run, self._source.commander
        if wish == DAggerWish.STOP:
            run.controls.stop.set()
        elif wish == DAggerWish.UPLOAD:
            run.upload = True
            run.progress.announce("Uploading at the end")
        elif wish == DAggerWish.CORRECTION:
            self._source.correct()
        else:
            self._source.pause_or_resume()
        now = self._source.commander
        if now is not before:
            run.progress.announce({"policy": "Policy acts", "nobody": "Paused", "person": "Correcting"}[now])
            if before is Commander.PERSON and not self._autonomous:
                self._cut()

    def _cut(self) -> None:
        self._run.stream.cut()
        if self._run.stream.episodes >= self._episodes:
            self._run.controls.stop.set()
