"""The light as renderers without OpenGL take it from the model, which may change from episode to episode."""

from dataclasses import dataclass
from typing import Self

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.scene import LIGHT_DIFFUSE

_AMBIENT, _DIFFUSE = 0.55, 0.5


@dataclass(frozen=True, slots=True)
class Lighting:
    """One far light and what the surroundings reflect.

    Attributes:
        direction: where the light shines to, `(3,)`, world frame, of length 1.
        brightness: 1 as the scene was made.
    """

    direction: NDArray[np.float64]
    brightness: float

    @classmethod
    def of(cls, model: mujoco.MjModel) -> Self:
        """The light of a scene."""
        direction = model.light_dir[0]
        return cls(direction / np.linalg.norm(direction), float(model.light_diffuse[0, 0]) / LIGHT_DIFFUSE)

    def on(self, facing: NDArray[np.float64]) -> NDArray[np.float64]:
        """How bright faces are.

        Args:
            facing: product of each face's outward normal and `direction`.
        """
        light: NDArray[np.float64] = self.brightness * (_AMBIENT + _DIFFUSE * np.maximum(-facing, 0.0))
        return light
