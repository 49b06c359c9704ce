"""An arm of capsules between walls, which MuJoCo judges: 2 us a pose."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import mujoco
import numpy as np

from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.core.safety.config import Workspace
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.capsules import Capsule, CapsuleFile, Point, capsules_of, read_capsules
from lerobot.kinematics.config import LinksConfig
from lerobot.kinematics.model_file import bundled_capsules, read_links
from lerobot.kinematics.walls import Wall, box_walls, walls_of

log = logging.getLogger(__name__)

_SAMPLES = 500
_MOSTLY = 0.5
"""Links that touch in so many of all poses do so by the way the arm is built, or drawn: capsules are coarse."""

_STEP_PART, _LEAST_STEP_M = 1.5, 0.005
"""Between two poses a step apart, a point is at most half a step beyond one of them: less than the margin."""

_LINK, _WALL, _BOX = 1, 2, 4
"""What touches what: bits of MuJoCo's contype and conaffinity."""

_POINT_M = 1e-7
"""Radius of the end effector, which is a point."""

_HINGE, _SLIDE = mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE


class Links:
    """Judges poses of an arm; see `lerobot.core.protocols.PoseLimits`.

    Links are capsules. Walls hold for every link that moves, the box for the end effector or for every link that
    moves. Links that are next to each other are not checked against each other, nor are those that touch in most
    poses, which is said once.

    Args:
        config: where the arm and its shapes are described.
        features: the robot's action features.
        workspace: where the arm may be.

    Attributes:
        never_checked: pairs of links that touch in most poses.

    Raises:
        ConfigError: the files cannot be read, or do not fit the robot.
    """

    def __init__(self, config: LinksConfig, features: Mapping[str, FeatureSpec], workspace: Workspace) -> None:
        source, with_meshes = read_links(config.file)
        end = _body(source, config.end_effector, "end_effector")
        root = _root(source, end)
        bodies = [body for body in range(1, source.nbody) if source.body_rootid[body] == root]
        shapes = config.capsules or bundled_capsules(config.file)
        file = CapsuleFile() if shapes is None else read_capsules(shapes)
        for name in (*file.links, *(name for pair in file.ignore for name in pair)):
            _body(source, name, "capsules")
        capsules = {
            body: capsules_of(
                source, body, file.links, has_mesh=source.body(body).name in with_meshes, radius=config.radius_m
            )
            for body in bodies
        }
        joints = _joints(source, bodies, config, features)
        self.keys: Sequence[str] = list(joints)
        self.step_m = max(_STEP_PART * workspace.margin_m, _LEAST_STEP_M)
        self._scale, self._shift = _scales(source, joints, features)
        self.reach_m: Sequence[float] = [
            _reach(source, joint, capsules) * scale for joint, scale in zip(joints.values(), self._scale, strict=True)
        ]
        spec = _arm(source, bodies, capsules, workspace, file.ignore, end)
        self._model = spec.compile()
        self.never_checked = _touching(self._model, [source.joint(joint).name for joint in joints.values()])
        if self.never_checked:
            told = "; ".join(map(" and ".join, self.never_checked))
            log.info("links that touch in most poses are not checked: %s", told)
            for first, second in self.never_checked:
                spec.add_exclude(bodyname1=first, bodyname2=second)
            self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._places = [self._model.joint(source.joint(joint).name).qposadr[0] for joint in joints.values()]
        self._qpos = self._data.qpos
        self._names = _names(self._model)

    def outside(self, pose: Sequence[float]) -> Mapping[str, float]:
        """See `PoseLimits.outside`."""
        qpos = self._qpos
        for place, value, scale, shift in zip(self._places, pose, self._scale, self._shift, strict=True):
            qpos[place] = value * scale + shift
        model, data = self._model, self._data
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        depths: dict[str, float] = {}
        if data.ncon:
            contact = data.contact
            for (first, second), distance in zip(contact.geom.tolist(), contact.dist.tolist(), strict=True):
                name = self._names[first, second]
                depths[name] = max(depths.get(name, 0.0), -distance)
        return depths


def _body(model: mujoco.MjModel, name: str, field: str) -> int:
    names = [model.body(body).name for body in range(1, model.nbody)]
    if name not in names:
        raise _problem(field, name, f"one of the links {', '.join(names)}")
    return 1 + names.index(name)


def _root(model: mujoco.MjModel, body: int) -> int:
    root = int(model.body_rootid[body])
    if model.body_jntnum[root]:
        raise _problem("file", model.body(root).name, "an arm whose base stands still")
    return root


def _joints(
    model: mujoco.MjModel, bodies: Iterable[int], config: LinksConfig, features: Mapping[str, FeatureSpec]
) -> dict[str, int]:
    """Numbers of the joints by the robot's key; joints of the file that the robot lacks stay at zero."""
    known = {model.joint(joint).name: joint for joint in range(model.njnt) if model.jnt_bodyid[joint] in set(bodies)}
    for name in config.joints.values():
        if name not in known:
            raise _problem("joints", name, f"one of the joints {', '.join(known)}")
    found = {}
    for key in features:
        motor, _, ending = key.rpartition(".")
        name = config.joints.get(motor, motor)
        if ending == "pos" and name in known:
            found[key] = known[name]
    if not found:
        expected = f"motors named as its joints {', '.join(known)}, or --safety.model.joints='{{motor: joint}}'"
        raise _problem("file", config.file, expected, f"the robot has {', '.join(features)}")
    if missing := sorted(set(known) - {model.joint(joint).name for joint in found.values()}):
        log.warning("the robot does not command %s: workspace and collisions take it at zero", ", ".join(missing))
    return found


def _scales(
    model: mujoco.MjModel, joints: Mapping[str, int], features: Mapping[str, FeatureSpec]
) -> tuple[list[float], list[float]]:
    """What turns the robot's values into radians or metres: times the first, plus the second."""
    scales, shifts = [], []
    for key, joint in joints.items():
        slides, unit = model.jnt_type[joint] == _SLIDE, features[key].unit
        known = {"m": 1.0, "mm": 1e-3} if slides else {"rad": 1.0, "deg": math.pi / 180}
        low, high = model.jnt_range[joint].tolist()
        if model.jnt_type[joint] not in (_HINGE, _SLIDE):
            raise _problem("file", model.joint(joint).name, "joints that turn or slide")
        if unit in known:
            scales.append(known[unit])
            shifts.append(0.0)
        elif unit == "percent" and model.jnt_limited[joint]:
            # A gripper, closed at 0: its whole way is the joint's.
            scales.append((high - low) / 100)
            shifts.append(low)
        else:
            expected = f"{key} in {' or '.join(known)}, not in {unit or 'an unknown unit'}"
            raise _problem("file", model.joint(joint).name, expected, "Set use_degrees=true for arms that have it.")
    return scales, shifts


def _reach(model: mujoco.MjModel, joint: int, capsules: Mapping[int, list[Capsule]]) -> float:
    """The farthest that any point moves per unit of a joint, metres: no shorter than the way to it along the links."""
    if model.jnt_type[joint] == _SLIDE:
        return 1.0
    start = int(model.jnt_bodyid[joint])
    longest = {start: float(np.linalg.norm(model.jnt_pos[joint]))}
    for body in capsules:
        parent = int(model.body_parentid[body])
        if parent in longest:
            longest[body] = longest[parent] + float(np.linalg.norm(model.body_pos[body])) + _travel(model, body)
    return max(
        along
        + max((max(math.hypot(*each.start), math.hypot(*each.end)) + each.radius for each in capsules[body]), default=0)
        for body, along in longest.items()
    )


def _travel(model: mujoco.MjModel, body: int) -> float:
    """How far a body slides at most."""
    first = model.body_jntadr[body]
    joints = range(first, first + model.body_jntnum[body])
    return float(sum(np.abs(model.jnt_range[joint]).max() for joint in joints if model.jnt_type[joint] == _SLIDE))


def _arm(
    source: mujoco.MjModel,
    bodies: Iterable[int],
    capsules: Mapping[int, list[Capsule]],
    workspace: Workspace,
    ignore: Iterable[tuple[str, str]],
    end: int,
) -> mujoco.MjSpec:
    """The same arm of capsules, with walls."""
    spec = mujoco.MjSpec()
    made: dict[int, mujoco.MjsBody] = {}
    spec.compiler.degree = False
    spec.compiler.boundmass = spec.compiler.boundinertia = 1.0
    margin_m = workspace.margin_m / 2
    for body in bodies:
        parent = made.get(int(source.body_parentid[body]))
        if parent is None:
            made[body] = spec.worldbody.add_body(name=source.body(body).name)
        else:
            made[body] = parent.add_body(
                name=source.body(body).name, pos=source.body_pos[body], quat=source.body_quat[body]
            )
        first = source.body_jntadr[body]
        for joint in range(first, first + source.body_jntnum[body]):
            made[body].add_joint(
                name=source.joint(joint).name,
                type=source.jnt_type[joint],
                axis=source.jnt_axis[joint],
                pos=source.jnt_pos[joint],
                range=source.jnt_range[joint],
                limited=bool(source.jnt_limited[joint]),
            )
        for each in capsules[body]:
            _add_capsule(made[body], each, margin_m, touches=_LINK | _WALL if workspace.self_collision else _WALL)
    for wall in walls_of(workspace):
        _add_wall(spec, wall, margin_m, _WALL)
    if workspace.box is not None and not workspace.whole_arm:
        _add_ball(made[end], (0.0, 0.0, 0.0), _POINT_M, contype=0, conaffinity=_BOX)
        for wall in box_walls(workspace.box):
            _add_wall(spec, wall, _POINT_M, _BOX)
    for first_name, second_name in (*_adjacent(source, bodies), *ignore):
        spec.add_exclude(bodyname1=first_name, bodyname2=second_name)
    return spec


def _add_wall(spec: mujoco.MjSpec, wall: Wall, margin_m: float, bit: int) -> None:
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        name=wall.name,
        pos=wall.point(margin_m),
        zaxis=wall.normal,
        size=[0, 0, 1],
        contype=bit,
        conaffinity=0,
    )


def _add_capsule(body: mujoco.MjsBody, capsule: Capsule, margin_m: float, *, touches: int) -> None:
    """Half of the distance that two links keep is on each of them."""
    radius = capsule.radius + margin_m
    if math.dist(capsule.start, capsule.end) < _POINT_M:
        _add_ball(body, capsule.start, radius, contype=_LINK, conaffinity=touches)
        return
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        size=[radius, 0, 0],
        fromto=[*capsule.start, *capsule.end],
        contype=_LINK,
        conaffinity=touches,
    )


def _add_ball(body: mujoco.MjsBody, place: Point, radius: float, *, contype: int, conaffinity: int) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        pos=place,
        size=[radius, 0, 0],
        contype=contype,
        conaffinity=conaffinity,
    )


def _adjacent(model: mujoco.MjModel, bodies: Iterable[int]) -> Iterator[tuple[str, str]]:
    """Pairs of links with one joint, or none, between them."""
    bodies = list(bodies)
    weld = {body: int(model.body_weldid[body]) for body in bodies}
    above = {weld[body]: int(model.body_weldid[model.body_parentid[weld[body]]]) for body in bodies if weld[body]}
    for first in bodies:
        for second in bodies:
            one, other = weld[first], weld[second]
            if first < second and (one == other or above.get(one) == other or above.get(other) == one):
                yield model.body(first).name, model.body(second).name


def _touching(model: mujoco.MjModel, joints: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of links that touch in most poses."""
    data, random = mujoco.MjData(model), np.random.default_rng(0)
    counts: dict[tuple[str, str], int] = {}
    for _ in range(_SAMPLES):
        for name in joints:
            joint = model.joint(name)
            low, high = joint.range if model.jnt_limited[joint.id] else (-math.pi, math.pi)
            data.qpos[joint.qposadr[0]] = random.uniform(low, high)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        bodies = {tuple(sorted(model.geom_bodyid[pair].tolist())) for pair in data.contact.geom}
        for first, second in bodies:
            if first:  # the world's geoms are walls
                names = model.body(first).name, model.body(second).name
                counts[names] = counts.get(names, 0) + 1
    return sorted(names for names, count in counts.items() if count > _MOSTLY * _SAMPLES)


def _names(model: mujoco.MjModel) -> dict[tuple[int, int], str]:
    """What to call a contact, by the numbers of its geoms."""
    names = {}
    for first in range(model.ngeom):
        for second in range(model.ngeom):
            walls = [model.geom(geom).name for geom in (first, second) if model.geom_bodyid[geom] == 0]
            links = sorted(int(model.geom_bodyid[geom]) for geom in (first, second))
            pair = " meets ".join(model.body(link).name for link in links)
            names[first, second] = walls[0] if walls else pair
    return names


def _problem(field: str, given: str, expected: str, hint: str = "") -> ConfigError:
    return ConfigError([ConfigProblem(f"--safety.model.{field}", given, expected, hint)])
