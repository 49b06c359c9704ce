"""An operator who can do every task: what a person with a leader arm would do, repeatable to the last bit."""

from dataclasses import dataclass

import numpy as np

from lerobot.sim.expert.hand import OPEN, Hand, Motion
from lerobot.sim.expert.plans import BEGINS_ANYWHERE, ENDS_AT_HOME, PLANS
from lerobot.sim.joints import JOINTS, Joints
from lerobot.sim.world import HOME, World, near_home

_NOISE_TIME_S = 0.2
"""How long an unsteady hand keeps going astray in one direction."""

_EXPERT_STREAM = 1
"""Sets the expert's random numbers apart from those that arrange the scene."""

_LOW = np.array([joint.low for joint in JOINTS])
_HIGH = np.array([joint.high for joint in JOINTS])


@dataclass(frozen=True, slots=True)
class Skill:
    """How well an expert works.

    Attributes:
        noise_deg: standard deviation of an unsteady hand, degrees at each joint of the arm.
        hesitation_s: mean length of the pauses between motions.
        failure_rate: part of the episodes in which the expert misjudges where things are, and fails.
    """

    noise_deg: float = 0.0
    hesitation_s: float = 0.0
    failure_rate: float = 0.0


class Expert:
    """Commands the arm of a world so that its task is done, episode after episode.

    Args:
        world: the scene; its task decides what is done.
        skill: how well.
    """

    def __init__(self, world: World, skill: Skill | None = None) -> None:
        self._world = world
        self._skill = skill or Skill()
        self._episode = -1
        self._attempt = _Attempt(world, self._skill)

    @property
    def is_done(self) -> bool:
        """Whether the plan of this episode, or the clearing after it, is complete and the arm holds still."""
        return self._episode == self._world.episodes_started and self._attempt.is_done

    def command(self) -> Joints:
        """Joint angles to command now, `(6,)` rad; call it once per control tick."""
        if self._episode != self._world.episodes_started:
            self._episode = self._world.episodes_started
            self._attempt = _Attempt(self._world, self._skill)
        elif self._world.episode_over:
            self._attempt.clear()
        return self._attempt.command()


class _Attempt:
    """One episode of the expert."""

    def __init__(self, world: World, skill: Skill) -> None:
        self.is_done = False
        self._world = world
        self._rng = np.random.default_rng([world.seed, world.episode, _EXPERT_STREAM])
        mistaken = bool(self._rng.random() < skill.failure_rate)
        self._hand = Hand(world, self._rng, hesitation_s=skill.hesitation_s, mistaken=mistaken)
        self._noise_rad = np.radians(skill.noise_deg)
        self._motion = self._plan()
        self._clearing = False
        self._last_s = world.now_s
        self._angles: Joints = self._hand.joints
        self._astray: Joints = np.zeros(len(JOINTS))

    def command(self) -> Joints:
        angles = next(self._motion, None)
        if angles is None:
            self.is_done = True
        else:
            self._angles = angles
        self._stray()
        # A person presses on until the arm is where it should be; the expert knows by how much it sags.
        sag = self._world.sag
        sag[5] = 0.0
        command: Joints = np.clip(self._angles + sag + self._astray, _LOW, _HIGH)
        return command

    def clear(self) -> None:
        """Leave the plan: let go and go home, so that the next episode starts as the first one did."""
        if not self._clearing:
            self._clearing = True
            self.is_done = False
            self._motion = self._withdraw()

    def _withdraw(self) -> Motion:
        home = near_home(self._rng)
        if self._world.task.name in BEGINS_ANYWHERE:
            # Some part of the way: who learns from it sees the task begun from many poses.
            joints = self._hand.joints
            home = joints + self._rng.uniform() * (home - joints)
        else:
            yield from self._hand.grip(OPEN)
        yield from self._hand.go_home(home)

    def _plan(self) -> Motion:
        yield from PLANS[self._world.task.name](self._hand)
        if self._world.task.name in ENDS_AT_HOME:
            yield from self._hand.go_home(HOME)

    def _stray(self) -> None:
        """One step of an Ornstein-Uhlenbeck process: the unsteady hand goes astray and comes back."""
        now = self._world.now_s
        if self._noise_rad:
            keep = np.exp(-(now - self._last_s) / _NOISE_TIME_S)
            kick = self._rng.normal(0.0, self._noise_rad * np.sqrt(1 - keep**2), len(JOINTS))
            kick[5] = 0.0
            self._astray = keep * self._astray + kick
        self._last_s = now
