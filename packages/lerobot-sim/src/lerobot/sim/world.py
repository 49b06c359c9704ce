"""The physics of one arm, its table and a task: what the robot, its cameras and an environment share.

A world is used from several threads (a control loop, camera readers): every public method takes its lock.
"""

import threading
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.core.clock import Clock
from lerobot.sim.config import RandomizationConfig
from lerobot.sim.joints import JOINTS, Joints
from lerobot.sim.randomization import Randomization
from lerobot.sim.scene import TIMESTEP_S, build
from lerobot.sim.task import Task

Vector = NDArray[np.float64]
"""A point or direction in the world frame, `(3,)` float64: x forward, y left, z up from the table, metres."""

HOME = np.radians([0.0, -52.0, 38.0, 92.0, 0.0, 10.0])
"""Where the arm waits at the start of an episode: folded, gripper down, nearly closed and higher than any tower."""

_HOME_SPREAD_RAD = np.radians(2.0)
_MAX_CATCH_UP_S = 2.0


def near_home(rng: np.random.Generator) -> Joints:
    """Where the arm really waits, rad: nobody brings it to the same place to the degree."""
    home = HOME.copy()
    home[:5] += rng.uniform(-_HOME_SPREAD_RAD, _HOME_SPREAD_RAD, 5)
    return home


class World:
    """One simulated scene.

    Args:
        task: what there is to do; brings its objects.
        seed: number from which, with the episode's, every random start follows.
        latency_s: time from a command to the moment the servos act on it.
        randomization: how much the scene differs from episode to episode; not at all if None.

    Attributes:
        episodes_started: grows with every start of an episode, so that whoever plans ahead notices.
        episode_over: the episode was ended from outside; until the next one the table is being reset.
    """

    def __init__(
        self,
        task: Task,
        *,
        seed: int = 0,
        latency_s: float = 0.01,
        randomization: RandomizationConfig | None = None,
    ) -> None:
        self.task = task
        self.seed = seed
        self.episode = 0
        self.lock = threading.RLock()
        varied = randomization or RandomizationConfig()
        self.model = build(task, pattern=varied.strength > 0)
        self.data = mujoco.MjData(self.model)
        self._latency_s = latency_s
        self.randomization = Randomization(varied, self.model)
        self._steps = 0
        self._started_at = 0
        self.episodes_started = 0
        self.episode_over = False
        self._pending: deque[tuple[int, Joints]] = deque()
        self._clock: Clock | None = None
        self._offset_s = 0.0
        arm = [self.model.joint(joint.name) for joint in JOINTS]
        self._qpos = np.array([joint.qposadr[0] for joint in arm])
        self._qvel = np.array([joint.dofadr[0] for joint in arm])
        self.reset()

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Time of the scene on the clock it follows, else since it was made; never goes back, seconds."""
        return self._offset_s + self._steps * TIMESTEP_S

    @property
    def present_s(self) -> float:
        """What time it is: ahead of `now_s` by what `sync` has yet to simulate, seconds."""
        return self.now_s if self._clock is None else self._clock.now()

    @property
    def elapsed_s(self) -> float:
        """Time since the episode's start, seconds."""
        return (self._steps - self._started_at) * TIMESTEP_S

    def follow(self, clock: Clock | None) -> None:
        """Run in real time by this clock from now on; None stops at the present instant."""
        with self.lock:
            self._clock = clock
            if clock is not None:
                self._offset_s = clock.now() - self._steps * TIMESTEP_S

    def sync(self) -> None:
        """Bring the scene to the present if it follows a clock; else do nothing.

        A scene nobody looked at for long is at rest: what exceeds two seconds is skipped, not simulated.
        """
        with self.lock:
            if self._clock is None:
                return
            behind = self._clock.now() - self.now_s
            if behind > _MAX_CATCH_UP_S:
                self._offset_s += behind - _MAX_CATCH_UP_S
                behind = _MAX_CATCH_UP_S
            self._step(int(behind / TIMESTEP_S))

    def wait_until(self, time_s: float) -> None:
        """Let time pass, at the pace of the clock the scene follows, until `now_s` has reached `time_s`."""
        clock = self._clock
        if clock is None:
            self.advance(max(time_s - self.now_s, TIMESTEP_S))
            return
        clock.sleep_until(time_s + TIMESTEP_S)
        self.sync()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self.lock:
            self._step(round(seconds / TIMESTEP_S))

    def _step(self, count: int) -> None:
        end = self._steps + count
        while self._steps < end:
            while self._pending and self._pending[0][0] <= self._steps:
                self.data.ctrl[:] = self._pending.popleft()[1]
            stop = min(end, self._pending[0][0]) if self._pending else end
            mujoco.mj_step(self.model, self.data, nstep=stop - self._steps)
            self._steps = stop

    # --- the arm -----------------------------------------------------------------------------------------------------

    @property
    def joint_positions(self) -> Joints:
        """Measured joint angles, rad."""
        with self.lock:
            return np.array(self.data.qpos[self._qpos])

    @property
    def joint_readings(self) -> Joints:
        """Joint angles as the encoders tell them, rad: measured, with the noise of the scene."""
        with self.lock:
            return self.randomization.read(self.joint_positions)

    @property
    def joint_velocities(self) -> Joints:
        """Measured joint speeds, rad/s."""
        with self.lock:
            return np.array(self.data.qvel[self._qvel])

    @property
    def goal_positions(self) -> Joints:
        """Latest commanded joint angles, rad, whether the servos act on them yet or not."""
        with self.lock:
            return (self._pending[-1][1] if self._pending else self.data.ctrl).copy()

    @property
    def sag(self) -> Joints:
        """How far gravity pulls each joint below its goal, rad: the servos are springs without memory."""
        with self.lock:
            return np.array(self.data.qfrc_bias[self._qvel] / self.model.actuator_gainprm[:, 0])

    def command(self, angles: Joints) -> None:
        """Give the servos new goal angles, rad; they act on them after the latency."""
        with self.lock:
            self._pending.append(
                (self._steps + round((self._latency_s + self.randomization.latency_s) / TIMESTEP_S), angles.copy())
            )

    @property
    def torque(self) -> bool:
        """Whether the servos drive the joints."""
        return not self.model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_ACTUATION

    def set_torque(self, on: bool) -> None:
        """Switch the servos on, holding where the arm is, or off, so that it sinks."""
        with self.lock:
            if on and not self.torque:
                self._pending.clear()
                self.data.ctrl[:] = self.data.qpos[self._qpos]
                self.model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_ACTUATION)
            elif not on:
                self.model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_ACTUATION)

    # --- the objects -------------------------------------------------------------------------------------------------

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """Names of the bodies that the task brought, in its order."""
        bodies, arm = range(1, self.model.nbody), self.model.body("base").id
        return tuple(self.model.body(each).name for each in bodies if self.model.body_rootid[each] != arm)

    def position(self, name: str) -> Vector:
        """Centre of an object or place of a site of the arm (`grasp`, `tool`)."""
        with self.lock:
            return np.array(self._element(name).xpos)

    def orientation(self, name: str) -> NDArray[np.float64]:
        """Axes of an object or site as columns, `(3, 3)`."""
        with self.lock:
            return np.array(self._element(name).xmat).reshape(3, 3)

    def speed(self, name: str) -> float:
        """How fast an object moves, m/s."""
        with self.lock:
            address = self.model.body(name).dofadr[0]
            return float(np.linalg.norm(self.data.qvel[address : address + 3]))

    def place(self, name: str, position: Sequence[float] | Vector, yaw: float = 0.0) -> None:
        """Put an object somewhere, at rest and upright, turned by `yaw` rad."""
        quat = [np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        with self.lock:
            body = self.model.body(name)
            if body.mocapid[0] >= 0:
                self.data.mocap_pos[body.mocapid[0]] = position
                self.data.mocap_quat[body.mocapid[0]] = quat
                return
            address = self.model.joint(body.jntadr[0]).qposadr[0]
            self.data.qpos[address : address + 7] = [*position, *quat]
            speed = body.dofadr[0]
            self.data.qvel[speed : speed + 6] = 0.0

    def touching(self, name: str) -> set[str]:
        """Names of the geoms that touch the object `name` now."""
        with self.lock:
            own = self.model.geom(name).id
            pairs = self.data.contact.geom
            others = pairs[(pairs == own).any(axis=1)]
            return {self.model.geom(int(geom)).name for geom in others.ravel() if geom != own}

    def _element(self, name: str) -> Any:
        if mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_SITE, name) >= 0:
            return self.data.site(name)
        return self.data.body(name)

    # --- episodes ----------------------------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, episode: int | None = None) -> None:
        """Start an episode: arm at home, objects where `(seed, episode)` puts them.

        Args:
            seed: new seed; None keeps the present one.
            episode: number of the episode, from 0; None is episode 0 of a new seed, the present one otherwise.
        """
        with self.lock:
            rng = self._number(seed, episode)
            mujoco.mj_resetData(self.model, self.data)
            self._pending.clear()
            home = near_home(rng)
            self.data.qpos[self._qpos] = home
            self.data.ctrl[:] = home
            self.task.arrange(self, rng)
            self._started_at = self._steps
            self.episodes_started += 1
            self.episode_over = False
            mujoco.mj_forward(self.model, self.data)

    def rearrange(self, *, seed: int | None = None, episode: int | None = None) -> None:
        """Put the objects where an episode starts and leave the arm alone, as a person resets a table."""
        with self.lock:
            rng = self._number(seed, episode)
            # The arm's own start is drawn first, so that the objects lie as after `reset`.
            near_home(rng)
            self.task.arrange(self, rng)
            self._started_at = self._steps
            self.episodes_started += 1
            self.episode_over = False
            mujoco.mj_forward(self.model, self.data)

    def _number(self, seed: int | None, episode: int | None) -> np.random.Generator:
        if seed is not None:
            self.seed, self.episode = seed, 0
        if episode is not None:
            self.episode = episode
        self.randomization.vary(self.seed, self.episode)
        return np.random.default_rng([self.seed, self.episode])


class SceneClock:
    """The time of a scene that follows no clock: to wait is to simulate.

    Args:
        world: the scene.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        """See `Clock.now`."""
        return self._world.now_s

    def sleep_until(self, deadline: float) -> None:
        """See `Clock.sleep_until`; time passes as fast as it can be computed."""
        self._world.advance(max(0.0, deadline - self._world.now_s))
