"""Plays episodes through the one control loop and its gate."""

import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

from lerobot.core.control.loop import ControlLoop
from lerobot.core.events import TeleopEvents
from lerobot.core.hooks import Hooks
from lerobot.core.processors import action_processor
from lerobot.core.safety import SafetyConfig, SafetyGate, Session, derive_limits
from lerobot.core.tick import Tick
from lerobot.core.types import EpisodeInfo
from lerobot.rl.commands.playing import PlayingOptions
from lerobot.rl.devices import Devices
from lerobot.rl.play.hold import holding
from lerobot.rl.play.judge import Judge
from lerobot.rl.play.rows import TransitionSink
from lerobot.rl.play.source import ShareableSource
from lerobot.rl.transition import Episode
from lerobot.rollout.controls import Controls
from lerobot.rollout.handover import HANDOVER_S, TakingOver
from lerobot.rollout.interpolation import Forgetful
from lerobot.rollout.strategies.episodic import EpisodicSource


class PlayWish(StrEnum):
    """What a person may say; words of the control file."""

    INTERVENE = "intervene"
    """Take over, or let go; of teleoperators whose buttons do not say so."""
    SUCCESS = "success"
    FAILURE = "failure"
    NEXT = "next"
    """End the episode, or the reset, now."""
    REDO = "redo"
    """Drop the episode."""
    STOP = "stop"


KEYS = {
    "space": PlayWish.INTERVENE,
    "s": PlayWish.SUCCESS,
    "f": PlayWish.FAILURE,
    "right": PlayWish.NEXT,
    "n": PlayWish.NEXT,
    "left": PlayWish.REDO,
    "r": PlayWish.REDO,
    "esc": PlayWish.STOP,
    "q": PlayWish.STOP,
}
"""Keys of the terminal."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every episode.

    Attributes:
        episode_s: longest duration of an episode.
        reset_s: seconds before an episode begins, in which the scene is reset.
        safety: limits of the gate.
        holds: whether the robot is commanded to stay where it is between episodes; not an environment, whose episode
            is over.
    """

    episode_s: float
    reset_s: float
    safety: SafetyConfig
    holds: bool = False


class Player:
    """Plays one episode after the other on connected devices.

    Args:
        session: connected devices.
        devices: the same, and what is stored of them.
        policy: acts; begins every episode without memory.
        rules: what holds for every episode.
        controls: what a person says.
        hooks: hook plugins; they begin the episodes of simulated scenes.
        watching: called every tick, also between episodes; what it raises ends the run.
    """

    def __init__(
        self,
        session: Session,
        devices: Devices,
        policy: Forgetful,
        rules: Rules,
        controls: Controls,
        hooks: Hooks,
        *,
        watching: Callable[[], None] | None = None,
    ) -> None:
        self.stopped = False
        """Whether a person ended the run."""
        self._session = session
        self._devices = devices
        self._rules = rules
        self._controls = controls
        self._hooks = hooks
        self._watching = watching
        self._wishes: list[PlayWish] = []
        teleoperator, ticks = devices.teleoperator, round(HANDOVER_S * devices.fps)
        self._shared = ShareableSource(policy, teleoperator, self._switched, ticks)
        # One for all episodes: the model of an arm takes time to be made. Every run engages it anew.
        self._gate = SafetyGate.for_robot(session.robot, rules.safety)
        limits, _ = derive_limits(session.robot.action_features, rules.safety)
        # A teleoperator of motions stands still between episodes; only one of poses can bring the robot anywhere.
        guide = teleoperator if devices.act is None else None
        between = None if guide is None else TakingOver(guide, limits, ticks, moves_leader=True)
        self._source = EpisodicSource(self._shared, limits, between=between, goes_back=True, fps=devices.fps)
        most = max(1, round(rules.episode_s * devices.fps))
        self._judge = Judge(session.robot, devices.detector, self._said, most)

    def play(self, number: int) -> Episode | None:
        """Play an episode.

        Args:
            number: of the episode: a simulated scene begins the same every time for it.

        Returns:
            What happened; None if it did not come to its end: somebody stopped the run, or dropped the episode.

        Raises:
            DeviceError: a device failed.
            SafetyError: the safety gate stopped the run.
        """
        stop, devices = threading.Event(), self._devices
        sink = TransitionSink(devices.features, self._shared, self._judge, stop, as_sent=devices.act is None)
        info = EpisodeInfo(number, devices.task)

        def begin() -> None:
            self._source.begin()
            sink.begin()
            self._hooks.call("episode_start", episode=info)

        loop = ControlLoop(
            self._session.robot,
            self._source,
            self._gate,
            fps=devices.fps,
            observation_processors=[devices.observe],
            action_processors=[] if devices.act is None else [action_processor(devices.act)],
            sinks=[sink, _Conduct(self, sink, begin, stop)],
            hooks=self._hooks,
            signals=self._session.signals,
        )
        try:
            loop.run(stop=stop)
        finally:
            episode = sink.episode(uuid.uuid4().hex, devices.task)
            outcome = "unknown" if episode is None else "success" if episode.success else "failure"
            info.metadata |= {"outcome": outcome, "frames": 0 if episode is None else len(episode)}
            if sink.began:
                self._hooks.call("episode_end", episode=info)
        return episode

    def aside(self) -> AbstractContextManager[None]:
        """What is done in this block is done between two episodes; see `holding`."""
        return holding(self._session.robot, self._gate, self._devices.fps) if self._rules.holds else nullcontext()

    def wait_s(self, *, skip: bool) -> float:
        """Seconds before an episode begins: until the robot follows exactly, and the scene is reset.

        Args:
            skip: a person does not want to wait for the scene.
        """
        ramp_s = self._rules.safety.ramp_s if self._rules.safety.enabled else 0.0
        return ramp_s if skip else max(ramp_s, self._rules.reset_s)

    def listen(self) -> list[PlayWish]:
        """Collect what a person said, and what keeps watch."""
        if self._watching is not None:
            self._watching()
        self._wishes += [PlayWish(wish) for wish in self._controls.poll()]
        return self._wishes

    def _taken(self, *wanted: PlayWish) -> PlayWish | None:
        found = next((wish for wish in self._wishes if wish in wanted), None)
        if found is not None:
            self._wishes.remove(found)
        return found

    def _switched(self) -> bool:
        return self._taken(PlayWish.INTERVENE) is not None

    def _said(self) -> TeleopEvents | None:
        said = self._taken(PlayWish.SUCCESS, PlayWish.FAILURE, PlayWish.NEXT)
        if said is PlayWish.NEXT:
            return TeleopEvents.TERMINATE_EPISODE
        return self._shared.said() if said is None else TeleopEvents(said.value)


class _Conduct:
    """A sink that lets the episode begin when the scene is reset, and ends it when a person wants so."""

    def __init__(self, player: Player, sink: TransitionSink, begin: Callable[[], None], stop: threading.Event) -> None:
        self._player = player
        self._wait = player.wait_s
        self._sink = sink
        self._begin = begin
        self._stop = stop
        self._engaged_s: float | None = None

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        player = self._player
        wishes = player.listen()
        if PlayWish.STOP in wishes or PlayWish.REDO in wishes:
            player.stopped = PlayWish.STOP in wishes
            wishes.clear()
            self._stop.set()
        if self._sink.began:
            return
        if self._engaged_s is None or tick.stopped:  # the gate engages anew after a stop
            self._engaged_s = tick.start_s
        if tick.start_s - self._engaged_s >= self._wait(skip=PlayWish.NEXT in wishes):
            wishes.clear()
            self._begin()


def connected_player(
    config: PlayingOptions,
    session: Session,
    devices: Devices,
    policy: Forgetful,
    hooks: Hooks,
    say: Callable[[str], None],
    *,
    watching: Callable[[], None] | None = None,
) -> Player:
    """Connect the devices and listen to the person, until the session ends.

    Args:
        config: rules of the episodes, and where the person's words come from.
        session: of the devices.
        devices: see `Player`.
        policy: see `Player`.
        hooks: see `Player`.
        say: tells the person what they may say.
        watching: see `Player`.
    """
    session.connect()
    controls = Controls(PlayWish, KEYS, config.control_file, say)
    session.close_later("controls", controls.close)
    rules = Rules(config.episode_time_s, config.reset_time_s, config.safety, holds=config.env is None)
    return Player(session, devices, policy, rules, controls, hooks, watching=watching)
