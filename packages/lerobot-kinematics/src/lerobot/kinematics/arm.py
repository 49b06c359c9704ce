"""The kinematic chain of a URDF file."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.kinematics.config import KinematicsConfig
from lerobot.kinematics.model_file import bundled_models

Vector = NDArray[np.float64]

_COMPILER = {"fusestatic": "false", "boundmass": "1", "boundinertia": "1"}
"""Every link keeps its frame, and needs no mass: only geometry is asked for."""


class Arm:
    """Forward kinematics and Jacobian of the chain from the base of a URDF to one of its links.

    Shapes and masses in the file are ignored, so meshes need not be there.

    Args:
        config: see `KinematicsConfig`.

    Attributes:
        joint_names: the chain's joints, `n` of them.
        low: lower limits `(n,)` rad, -inf where there are none.
        high: upper limits `(n,)` rad.

    Raises:
        ConfigError: the file cannot be read, lacks the frame or a joint, or a joint on the way does not turn.
    """

    def __init__(self, config: KinematicsConfig) -> None:
        self._model = _load(config)
        self._data = mujoco.MjData(self._model)
        self._frame = _frame(self._model, config)
        chain = list(_chain(self._model, self._frame))
        names = [self._model.joint(joint).name for joint in chain]
        self.joint_names = config.joint_names or names
        if sorted(self.joint_names) != sorted(names):
            raise _problem("joint_names", ", ".join(self.joint_names), f"in any order: {', '.join(names)}")
        joints = [self._model.joint(name) for name in self.joint_names]
        if sliding := [joint.name for joint in joints if joint.type[0] != mujoco.mjtJoint.mjJNT_HINGE]:
            raise _problem("urdf_path", config.urdf_path, f"joints that turn; {', '.join(sliding)} does not")
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._dofs = np.array([joint.dofadr[0] for joint in joints])
        limited = np.array([bool(self._model.jnt_limited[joint.id]) for joint in joints])
        self.low: Vector = np.where(limited, [joint.range[0] for joint in joints], -np.inf)
        self.high: Vector = np.where(limited, [joint.range[1] for joint in joints], np.inf)
        self._jacobian = np.zeros((6, self._model.nv))

    def place(self, joints: Vector) -> tuple[Vector, Vector]:
        """Where the end is.

        Args:
            joints: `(n,)` rad.

        Returns:
            Position `(3,)` in metres and rotation matrix `(3, 3)`, in the base's frame.
        """
        self._data.qpos[self._qpos] = joints
        mujoco.mj_kinematics(self._model, self._data)
        return self._data.xpos[self._frame].copy(), self._data.xmat[self._frame].reshape(3, 3).copy()

    def jacobian(self) -> Vector:
        """Velocity of the end per joint velocity `(6, n)`, linear then angular, where `place` was called last."""
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_jacBody(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._frame)
        return self._jacobian[:, self._dofs]


def _load(config: KinematicsConfig) -> mujoco.MjModel:
    path = Path(config.urdf_path)
    bundled = bundled_models()
    try:
        text = (bundled.get(config.urdf_path) or path).read_text(encoding="utf-8")
        robot = ET.fromstring(text)  # noqa: S314 - a file the user chose, and expat bounds what entities expand to
    except (OSError, UnicodeDecodeError, ET.ParseError) as error:
        raise _problem(
            "urdf_path", config.urdf_path, f"a URDF file, or one of {', '.join(sorted(bundled))}", str(error)
        ) from error
    for link in robot.findall("link"):
        for part in [*link]:
            link.remove(part)
    for other in robot.findall("mujoco"):
        robot.remove(other)
    ET.SubElement(ET.SubElement(robot, "mujoco"), "compiler", _COMPILER)
    try:
        return mujoco.MjModel.from_xml_string(ET.tostring(robot, encoding="unicode"))
    except ValueError as error:
        raise _problem("urdf_path", config.urdf_path, "a URDF file", str(error)) from error


def _frame(model: mujoco.MjModel, config: KinematicsConfig) -> int:
    names = [model.body(index).name for index in range(1, model.nbody)]
    if config.target_frame_name not in names:
        raise _problem("target_frame_name", config.target_frame_name, f"one of {', '.join(names)}")
    return 1 + names.index(config.target_frame_name)


def _chain(model: mujoco.MjModel, frame: int) -> Iterator[int]:
    """Joints from the base to a body."""
    if frame == 0:
        return
    yield from _chain(model, model.body_parentid[frame])
    first = model.body_jntadr[frame]
    yield from range(first, first + model.body_jntnum[frame])


def _problem(field: str, given: str, expected: str, hint: str = "") -> ConfigError:
    return ConfigError([ConfigProblem(f"kinematics.{field}", given, expected, hint)])
