"""What a robot may be asked to do, per joint: derived from its features, tightened by the configuration."""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from lerobot.core.errors import ConfigError, ConfigProblem, FeatureMismatchError
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.types import FeatureSpec, as_features

T = TypeVar("T")

DEFAULT_VELOCITY = {
    # 180 deg/s is the joint speed limit of the UR5e and below the no-load speed of every servo of the SO, Koch and
    # OMX arms (270 deg/s and more): a person's teleoperation passes, a jump across the workspace does not.
    "deg": 180.0,
    "rad": math.pi,
    # A gripper's whole stroke in half a second.
    "percent": 200.0,
    # A joint's whole calibrated range (about 200 deg on these arms) in 1.3 s, which is about 150 deg/s.
    "m100": 150.0,
    # ISO 10218-1: reduced speed of a tool near people.
    "m": 0.25,
    "mm": 250.0,
}
"""Velocity limits per second for positions whose feature declares none."""

DEFAULT_SPEED = {
    # The fastest level of LeKiwi's own speed table.
    "m/s": 0.3,
    "deg/s": 90.0,
    "rad/s": math.pi / 2,
}
"""Largest values of velocity commands whose feature declares no range."""

UNKNOWN_VELOCITY = 1.0
"""Velocity limit of a position that has neither unit nor range, per second."""

# The step limit matters only when the loop stalls: then a tick may not make up for more than this much time.
STEP_WINDOW_S = 0.1
# A velocity command takes this long from rest to its limit.
RISE_S = 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """What one entry of an action may be.

    Attributes:
        key: entry of the action.
        kind: `"position"`; `"velocity"`, a command whose zero means rest; or `"switch"`, on or off.
        unit: unit of the value; None if it has none.
        low: smallest value, `-inf` if unbounded.
        high: largest value, `inf` if unbounded.
        max_rate: largest change per second: a position's velocity, a velocity's acceleration.
        max_step: largest change from one command to the next.
    """

    key: str
    kind: Literal["position", "velocity", "switch"]
    unit: str | None
    low: float
    high: float
    max_rate: float
    max_step: float


def derive_limits(action_features: Mapping[str, Any], config: SafetyConfig) -> tuple[dict[str, Limit], list[str]]:
    """Combine what a robot declares with what the user allows.

    The user can only tighten what the robot declares; where it declares no velocity the user's number replaces the
    default of the unit.

    Args:
        action_features: `Robot.action_features`.
        config: the user's limits.

    Returns:
        One limit per key, in order, and notices of one line each about what is not protected.

    Raises:
        ConfigError: the configuration names an unknown joint, or a range that lies outside the robot's.
        FeatureMismatchError: an entry is not a number or a switch.
    """
    features = as_features(action_features)
    keys = list(features)
    velocity = _per_key(_named(config.max_velocity, features), features, "max_velocity")
    step = _per_key(_named(config.max_step, features), features, "max_step")
    acceleration = _per_key(config.max_acceleration, features, "max_acceleration")
    position = _per_key(config.position_limits, features, "position_limits")
    limits: dict[str, Limit] = {}
    for key in keys:
        spec = features[key]
        low, high = _range(key, spec, position.get(key))
        if not spec.is_scalar or spec.dtype == "string":
            raise FeatureMismatchError(
                f"action {key!r} is {spec.dtype}{list(spec.shape)}, which the safety gate cannot limit",
                keys=[key],
                expected="one number per key",
            )
        if spec.dtype == "bool":
            limits[key] = Limit(key, "switch", spec.unit, 0.0, 1.0, math.inf, 1.0)
        elif is_velocity(key, spec):
            limits[key] = _velocity_limit(
                key, spec, (low, high), velocity.get(key), acceleration.get(key), step.get(key)
            )
        else:
            limits[key] = _position_limit(key, spec, (low, high), velocity.get(key), step.get(key))
    open_ended = [key for key, limit in limits.items() if limit.kind == "position" and not _is_closed(limit)]
    guessed = [key for key in open_ended if features[key] == FeatureSpec(features[key].dtype) and key not in velocity]
    return limits, [*_without_range(open_ended), *_without_unit(guessed)]


def _is_closed(limit: Limit) -> bool:
    return math.isfinite(limit.low) and math.isfinite(limit.high)


def _without_range(keys: Sequence[str]) -> Iterator[str]:
    if keys:
        declare, its, it = ("declares", "its", "it") if len(keys) == 1 else ("declare", "their", "them")
        yield (
            f"{', '.join(keys)} {declare} no range, so only {its} speed is limited; "
            f"set {it}: --safety.position_limits='{{{keys[0]}: [low, high]}}'"
        )


def _without_unit(keys: Sequence[str]) -> Iterator[str]:
    if keys:
        yield (
            f"the unit of {', '.join(keys)} is not known either, so the speed is limited to {UNKNOWN_VELOCITY:g} a "
            "second in whatever it is; set it: --safety.max_velocity=NUMBER"
        )


def is_velocity(key: str, spec: FeatureSpec) -> bool:
    """Whether a command is a velocity, by its unit, or by the field's ending `.vel` when it has no unit."""
    return spec.unit.endswith(("/s", "/step")) if spec.unit else key.endswith(".vel")


def _position_limit(
    key: str, spec: FeatureSpec, span: tuple[float, float], velocity: float | None, step: float | None
) -> Limit:
    low, high = span
    if spec.max_velocity is not None:
        rate = min(spec.max_velocity, velocity or math.inf)
    else:
        # A quantity of no known unit may cross its range once a second.
        across = high - low if math.isfinite(high - low) and high > low else UNKNOWN_VELOCITY
        rate = velocity or DEFAULT_VELOCITY.get(spec.unit or "", across)
    return Limit(key, "position", spec.unit, low, high, rate, step or rate * STEP_WINDOW_S)


def _velocity_limit(
    key: str,
    spec: FeatureSpec,
    span: tuple[float, float],
    velocity: float | None,
    acceleration: float | None,
    step: float | None,
) -> Limit:
    declared = max(abs(span[0]), abs(span[1]))
    top = min(declared if math.isfinite(declared) else DEFAULT_SPEED.get(spec.unit or "", 1.0), velocity or math.inf)
    if spec.max_velocity is not None:
        rate = min(spec.max_velocity, acceleration or math.inf)
    else:
        rate = acceleration or top / RISE_S
    low, high = max(span[0], -top), min(span[1], top)
    return Limit(key, "velocity", spec.unit, low, high, rate, step or rate * STEP_WINDOW_S)


def _range(key: str, spec: FeatureSpec, wanted: tuple[float, float] | None) -> tuple[float, float]:
    low, high = map(float, spec.range or (-math.inf, math.inf))
    if wanted is None:
        return low, high
    tight = max(low, wanted[0]), min(high, wanted[1])
    # The first comparison is for NaN, which `max` and `min` would pass over.
    if not wanted[0] <= wanted[1] or not tight[0] <= tight[1]:
        expected = f"[low, high] inside [{low:g}, {high:g}], the range the robot declares"
        raise ConfigError([ConfigProblem(f"--safety.position_limits.{key}", str(list(wanted)), expected)])
    return tight


def _named(setting: Mapping[str, float] | float | None, features: Mapping[str, FeatureSpec]) -> Mapping[str, float]:
    """Spell a plain number out: it is for every position."""
    if setting is None:
        return {}
    if isinstance(setting, Mapping):
        return setting
    return {key: setting for key, spec in features.items() if not is_velocity(key, spec)}


def _per_key(setting: Mapping[str, T], features: Mapping[str, FeatureSpec], name: str) -> dict[str, T]:
    """Spread a setting by joint over the keys it means."""
    spread: dict[str, T] = {}
    problems = []
    for joint, value in setting.items():
        meant = [key for key in features if joint in {key, key.rpartition(".")[0]}]
        spread.update(dict.fromkeys(meant, value))
        if not meant:
            problems.append(_unknown_joint(f"--safety.{name}", joint, features))
    if problems:
        raise ConfigError(problems)
    return spread


def _unknown_joint(flag: str, joint: str, keys: Iterable[str]) -> ConfigProblem:
    names = list(keys)
    near = difflib.get_close_matches(joint, names, n=1)
    return ConfigProblem(flag, joint, f"one of {', '.join(names)}", f"did you mean '{near[0]}'?" if near else "")
