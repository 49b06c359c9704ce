"""Scenes that differ from episode to episode: what is drawn, and what it changes in the model.

A policy that has seen many tables, lights and servos takes the real one for one more of them.

Source:
    Tobin et al. 2017, Domain Randomization for Transferring Deep Neural Networks from Simulation to the Real World,
    arXiv:1703.06907; Peng et al. 2018, Sim-to-Real Transfer of Robotic Control with Dynamics Randomization,
    arXiv:1710.06537.
"""

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.config import RandomizationConfig
from lerobot.sim.joints import JOINTS, Joints
from lerobot.sim.scene import TILES, VIEWS, tiles

_PATTERNS = 2**16
"""Patterns of the table; each has its number."""

_DRAWS, _NOISE = 0, 1
"""Streams of random numbers of one episode, beside the one that places the objects."""


class Randomization:
    """Draws what the scene of an episode is like and changes the model to it.

    What is drawn depends on the configuration's seed and the episode's seed and number alone, and leaves the places of
    the objects as they are without it.

    Args:
        config: how much differs.
        model: the scene, as it was made; built with a pattern.

    Attributes:
        values: what was drawn for the present episode, by name; empty if nothing is.
        latency_s: what it adds to the latency.
    """

    def __init__(self, config: RandomizationConfig, model: mujoco.MjModel) -> None:
        self._config = config
        self._model = model
        self._scratch = mujoco.MjData(model)
        self._tiles = tiles(model)
        self._table = [model.geom("table").id, *self._tiles]
        base = model.body("base").id
        belongs = model.body_rootid == base
        self._arm = np.flatnonzero(belongs[model.geom_bodyid])
        # What is moved about: bodies of the world with a joint of their own.
        self._objects = np.flatnonzero((model.body_mass > 0) & ~belongs)
        self._joints = np.array([model.joint(joint.name).dofadr[0] for joint in JOINTS])
        changed = (
            *("light_dir", "light_diffuse", "geom_rgba", "cam_pos", "cam_quat", "body_mass", "body_inertia"),
            *("geom_friction", "actuator_gainprm", "actuator_biasprm", "dof_frictionloss"),
        )
        self._made = {name: getattr(model, name).copy() for name in changed}
        headlight = model.vis.headlight
        self._headlight = headlight.ambient.copy(), headlight.diffuse.copy()
        self.values: dict[str, float] = {}
        self.latency_s = 0.0
        self._noise = np.random.default_rng(0)

    def vary(self, seed: int, episode: int) -> None:
        """Make the scene that of an episode."""
        if not self._config.strength:
            return
        own = [self._config.seed] if self._config.fixed else [self._config.seed, seed, episode]
        self._noise = np.random.default_rng([_NOISE, self._config.seed, seed, episode])
        self.values = self._draw(np.random.default_rng([_DRAWS, *own]))
        for name, made in self._made.items():
            getattr(self._model, name)[:] = made
        self._light()
        self._paint()
        self._move_cameras()
        self._weigh()
        self.latency_s = self.values["latency_s"]

    def read(self, angles: Joints) -> Joints:
        """Joint angles with the noise of encoders, rad."""
        if not self.values:
            return angles
        spread = np.radians(self.values["joint_noise_deg"])
        noisy: Joints = angles + self._noise.normal(0.0, spread, len(angles))
        return noisy

    def grain(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture `(H, W, 3)` uint8 with the noise of its sensor."""
        if not self.values:
            return picture
        noise = self.values["picture_noise"] * self._noise.standard_normal(picture.shape, np.float32)
        noisy: NDArray[np.uint8] = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
        return noisy

    def _draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Always the same number of draws in the same order, so that a spread changes its own values alone."""
        config, strength = self._config, self._config.strength

        def around(middle: float, spread: float) -> float:
            return middle + float(rng.uniform(-1, 1)) * spread * strength

        def factor(spread: float) -> float:
            return max(0.05, around(1.0, spread))

        values = {"light": factor(config.light), "light_deg": around(0.0, config.light_deg)}
        for what in ("table", "arm"):
            values |= {f"{what}_{channel}": around(0.0, config.colours) for channel in ("red", "green", "blue")}
        values["pattern"] = float(rng.uniform(0, 1)) * config.pattern * strength
        values["pattern_number"] = float(rng.integers(_PATTERNS))
        for view in VIEWS:
            values |= {f"{view}_{axis}_m": around(0.0, config.camera_m) for axis in "xyz"}
            values |= {f"{view}_{axis}_deg": around(0.0, config.camera_deg) for axis in "xyz"}
        for what in ("mass", "friction", "servo", "joint_friction"):
            values[what] = factor(getattr(config, what))
        for what in ("latency_s", "joint_noise_deg", "picture_noise"):
            values[what] = float(rng.uniform(0, 1)) * getattr(config, what) * strength
        return values

    def _light(self) -> None:
        model, turn = self._model, np.radians(self.values["light_deg"])
        rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        model.light_dir[0] = rotation @ self._made["light_dir"][0]
        model.light_diffuse[0] *= self.values["light"]
        ambient, diffuse = self._headlight
        model.vis.headlight.ambient[:] = self.values["light"] * ambient
        model.vis.headlight.diffuse[:] = self.values["light"] * diffuse

    def _paint(self) -> None:
        colours = self._model.geom_rgba
        for what, geoms in (("table", self._table), ("arm", self._arm)):
            colours[geoms, :3] += [self.values[f"{what}_{channel}"] for channel in ("red", "green", "blue")]
        pattern = np.random.default_rng(int(self.values["pattern_number"])).uniform(-1, 1, (TILES**2, 1))
        colours[self._tiles, :3] += self.values["pattern"] * pattern
        np.clip(colours, 0.0, 1.0, out=colours)

    def _move_cameras(self) -> None:
        for view in VIEWS:
            number = self._model.camera(view).id
            self._model.cam_pos[number] += [self.values[f"{view}_{axis}_m"] for axis in "xyz"]
            turn, turned = np.empty(4), np.empty(4)
            angles = np.radians([self.values[f"{view}_{axis}_deg"] for axis in "xyz"])
            mujoco.mju_euler2Quat(turn, angles, "xyz")
            mujoco.mju_mulQuat(turned, self._made["cam_quat"][number], turn)
            self._model.cam_quat[number] = turned

    def _weigh(self) -> None:
        model, values = self._model, self.values
        model.body_mass[self._objects] *= values["mass"]
        model.body_inertia[self._objects] *= values["mass"]
        model.geom_friction[:, 0] *= values["friction"]
        # Torque is gain times (goal minus angle); the second part stands in the bias.
        model.actuator_gainprm[:, 0] *= values["servo"]
        model.actuator_biasprm[:, 1] *= values["servo"]
        model.dof_frictionloss[self._joints] *= values["joint_friction"]
        # What MuJoCo has computed from masses, in data of its own: it puts the arm at its zero for that.
        mujoco.mj_setConst(model, self._scratch)
