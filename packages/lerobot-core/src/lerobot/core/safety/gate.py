"""The safety gate: the one place through which every command reaches a robot."""

import logging
import math
import reprlib
from collections.abc import Mapping
from typing import Any, Self

from lerobot.core.errors import SafetyError
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.limits import Limit, derive_limits
from lerobot.core.safety.pose_guard import PoseGuard
from lerobot.core.types import Action, as_features

log = logging.getLogger(__name__)

UNKNOWN = "(unknown)"
# A joint resting on its end stop may measure a little outside its calibrated range; further out, the calibration or
# the limits are wrong and nothing may move.
OUTSIDE_TOLERANCE = 0.1


class SafetyGate:
    """Lets commands through as far as they are safe.

    After `engage` and for every `check`, whatever the command is, its result has exactly the robot's keys, every
    position lies within its limits, and nothing changes faster than its rate by the elapsed time, nor by more than
    its step, from what was last sent; nor does the arm as a whole leave its workspace or touch itself, where its model
    is known. A value that is missing or unusable holds the joint (a velocity command goes to
    zero); one that stays so ends the run. A joint that is found a little outside its limits is never commanded
    further out and comes back at its rate.

    Args:
        limits: what may be sent, by key, in the robot's order.
        config: ramp, freshness, and whether the gate is on.
        guard: keeps the arm as a whole where it may be; None where that is not known.
    """

    def __init__(
        self, limits: Mapping[str, Limit], config: SafetyConfig | None = None, guard: PoseGuard | None = None
    ) -> None:
        self.limits = dict(limits)
        self.config = config or SafetyConfig()
        self._guard = guard
        self.reset()

    def reset(self) -> None:
        """Forget everything about the run so far: counts and engagement."""
        self.interventions: dict[str, dict[str, int]] = {}
        """How often the gate changed a command: by key, then by reason."""
        self.last_interventions: dict[str, str] = {}
        """Reason by key of the changes made by the latest `check`."""
        self._sent: dict[str, float] = {}
        self._start: dict[str, float] = {}
        self._usable_s: dict[str, float] = {}
        self._ramp_from_s: dict[str, float] = {}
        self._time_s = 0.0
        self._engaged = False

    @classmethod
    def for_robot(cls, robot: Robot, config: SafetyConfig | None = None) -> Self:
        """Derive the limits from a robot's features, and from the model of the arm if there is one.

        Raises:
            ConfigError: see `derive_limits`; or the model of the arm does not fit the robot.
            FeatureMismatchError: see `derive_limits`.
        """
        config = config or SafetyConfig()
        limits, notices = derive_limits(robot.action_features, config)
        if config.enabled:
            for notice in notices:
                log.warning(notice)
        else:
            log.warning("THE SAFETY GATE IS OFF (--safety.enabled=false): commands reach the robot unchecked.")
        if config.model is None or not config.enabled:
            return cls(limits, config)
        features = as_features(robot.action_features)
        return cls(limits, config, PoseGuard(config.model.build(features=features, workspace=config.workspace)))

    @property
    def enabled(self) -> bool:
        """Whether anything is limited."""
        return self.config.enabled

    @property
    def engaged(self) -> bool:
        """Whether the robot's pose was measured in this run."""
        return self._engaged

    def engage(self, measured: Mapping[str, Any], now_s: float) -> None:
        """Start from where the robot is; each joint's ramp begins with its first usable command.

        Args:
            measured: observation in the robot's units, with every position the robot takes as a command.
            now_s: monotonic time.

        Raises:
            SafetyError: a position is not measured, or is far outside its limits; names the joints.
        """
        start: dict[str, float] = {}
        missing, outside = [], []
        for key, limit in self.limits.items():
            value = as_number(measured.get(key)) if limit.kind == "position" else 0.0
            if value is None:
                missing.append(key)
                continue
            start[key] = value
            tolerance = OUTSIDE_TOLERANCE * (limit.high - limit.low)
            if not limit.low - tolerance <= value <= limit.high + tolerance:
                outside.append(f"{key} at {value:.4g}, limits {limit.low:g} to {limit.high:g}")
        if self.enabled and missing:
            raise SafetyError(
                f"the robot did not measure {', '.join(missing)}, so it cannot be engaged softly.",
                expected="one finite number per position in the observation",
            )
        if self.enabled and outside:
            raise SafetyError(
                f"the robot is outside its limits: {'; '.join(outside)}.",
                hint="Move it inside by hand, or check its calibration and --safety.position_limits.",
            )
        self._sent, self._start = dict(start), start
        self._usable_s = dict.fromkeys(self.limits, now_s)
        self._ramp_from_s = {}
        self._time_s = now_s
        self._engaged = True
        if self._guard is not None and (depths := self._guard.begin(self._pose(self._sent, self._guard))):
            told = ", ".join(f"{name} by {depth * 1000:.0f} mm" for name, depth in depths.items())
            log.warning("safety gate: the arm begins outside of its workspace (%s): it may only come inside", told)

    def check(
        self, action: object, now_s: float, *, command_time_s: float | None = None, state_time_s: float | None = None
    ) -> Action:
        """Turn a requested command into one that is safe to send.

        Args:
            action: what the command source wants; anything may come.
            now_s: monotonic time at which the command is sent.
            command_time_s: when the command was made; now if None.
            state_time_s: when the robot's state was measured; now if None.

        Returns:
            The command to send, one number per key of the robot, in its units.

        Raises:
            SafetyError: the gate was not engaged, or a joint got no usable command for too long.
        """
        self.last_interventions = {}
        if not self.enabled:
            return self._unchecked(action)
        self._require_engaged()
        requested = action if isinstance(action, Mapping) else {}
        if strangers := [key for key in requested if key not in self.limits]:
            self._count(UNKNOWN, "unknown key", f"keys {reprlib.repr(strangers)} are not the robot's and were left out")
        unusable = self._too_old(now_s, command_time_s, state_time_s)
        before = dict(self._sent)
        elapsed = max(0.0, now_s - self._time_s)
        self._time_s = max(self._time_s, now_s)
        for key, limit in self.limits.items():
            value, reason = (None, unusable) if unusable else _usable(requested, limit)
            if value is None:
                self._count(key, reason)
            else:
                self._usable_s[key] = self._time_s
                self._ramp_from_s.setdefault(key, self._time_s)
            self._sent[key] = self._limited(limit, value, elapsed)
        if self._guard is not None:
            self._keep_inside(before, self._guard)
        self._stop_if_unusable()
        return {key: self._as_sent(limit) for key, limit in self.limits.items()}

    def _keep_inside(self, before: Mapping[str, float], guard: PoseGuard) -> None:
        wanted = self._pose(self._sent, guard)
        pose, limit = guard.follow(self._pose(before, guard), wanted)
        if not limit:
            return
        if not any(limit in reasons for reasons in self.interventions.values()):
            log.warning("safety gate: the arm is kept from %s; further times are only counted", limit)
        for key, value, target in zip(guard.keys, pose, wanted, strict=True):
            if value != target:
                self._sent[key] = value
                self._note(key, limit)

    @staticmethod
    def _pose(values: Mapping[str, float], guard: PoseGuard) -> list[float]:
        return [values[key] for key in guard.keys]

    def hold(self, reason: str) -> Action:
        """The command that keeps the robot as it is, also while the gate is off: positions as last sent, no velocity.

        Args:
            reason: why what was asked for is not followed; it is counted.

        Raises:
            SafetyError: the gate was not engaged.
        """
        self._require_engaged()
        self.last_interventions = {}
        for key in self.limits:
            self._note(key, reason)
        return self._resting()

    def _require_engaged(self) -> None:
        if not self._engaged:
            raise SafetyError("a command came before the robot's pose was measured.", hint="Call engage() first.")

    def _unchecked(self, action: object) -> Action:
        """The command of a gate that is off; what it says is remembered, so that it can be held."""
        command = dict(action) if isinstance(action, Mapping) else {}
        numbers = {key: as_number(command.get(key)) for key in self.limits}
        self._sent.update({key: number for key, number in numbers.items() if number is not None})
        return command

    def _resting(self) -> Action:
        known = (limit for limit in self.limits.values() if limit.key in self._sent)
        return {limit.key: 0.0 if limit.kind == "velocity" else self._as_sent(limit) for limit in known}

    def confirm(self, returned: object) -> None:
        """Take note of what the robot says it sent: later steps are counted from there.

        A value outside the limits is counted and reported, and does not become the reference.
        """
        if not self.enabled or not isinstance(returned, Mapping):
            return
        for key, limit in self.limits.items():
            value = as_number(returned.get(key)) if limit.kind != "switch" else None
            if value is None:
                continue
            # Robots work in float32 and whole encoder steps.
            slack = 1e-4 * max(1.0, abs(limit.low), abs(limit.high)) if math.isfinite(limit.high - limit.low) else 0.0
            if min(limit.low, self._sent[key]) - slack <= value <= max(limit.high, self._sent[key]) + slack:
                self._sent[key] = min(max(value, min(limit.low, self._sent[key])), max(limit.high, self._sent[key]))
            else:
                self._count(key, "sent outside limits", f"the robot reports {value:.6g} for {key}")

    def rest(self) -> Action | None:
        """The command that ends motion, for robots that take velocities: those zero, positions as last sent."""
        if not (self._engaged and any(limit.kind == "velocity" for limit in self.limits.values())):
            return None
        return self._resting()

    def _as_sent(self, limit: Limit) -> float | bool:
        value = self._sent[limit.key]
        return bool(value) if limit.kind == "switch" else value

    def _limited(self, limit: Limit, value: float | None, elapsed: float) -> float:
        """The allowed value nearest to what is wanted."""
        last = self._sent[limit.key]
        if limit.kind == "switch":
            return last if value is None else float(value != 0)
        blend = 0.0
        if value is None:
            target = 0.0 if limit.kind == "velocity" else last
        else:
            blend = self._blend(limit.key)
            inside = _clamp(value, limit.low, limit.high)
            if inside != value:
                self._count(limit.key, "range")
            # Weighted, because the difference of two far values overflows and would make the target NaN.
            target = inside if blend == 1.0 else self._start[limit.key] * (1.0 - blend) + inside * blend
        # In this order a rate of infinity in no time (NaN) leaves the step limit standing.
        allowed = min(limit.max_step, limit.max_rate * elapsed)
        low = max(min(limit.low, last), last - allowed)
        high = min(max(limit.high, last), last + allowed)
        result = _clamp(target, low, high)
        if result != target and blend == 1.0:
            self._count(limit.key, "step" if allowed == limit.max_step else "velocity")
        return result

    def _blend(self, key: str) -> float:
        """How far a joint's ramp has come, 0 to 1, without a jerk at either end (smoothstep)."""
        if self.config.ramp_s <= 0:
            return 1.0
        part = min(1.0, (self._time_s - self._ramp_from_s[key]) / self.config.ramp_s)
        return part * part * (3.0 - 2.0 * part)

    def _too_old(self, now_s: float, command_time_s: float | None, state_time_s: float | None) -> str:
        # A time as far in the future is another clock's, which says nothing about the age.
        if command_time_s is not None and not abs(now_s - command_time_s) <= self.config.max_command_age_s:
            return "stale command"
        if state_time_s is not None and not abs(now_s - state_time_s) <= self.config.max_state_age_s:
            return "stale state"
        return ""

    def _stop_if_unusable(self) -> None:
        limit_s = self.config.stop_after_s
        late = [key for key, usable_s in self._usable_s.items() if self._time_s - usable_s > limit_s]
        if late:
            reasons = sorted({self.last_interventions.get(key, "missing") for key in late})
            raise SafetyError(
                f"no usable command for {', '.join(late)} during {limit_s:g} s ({', '.join(reasons)}).",
                expected="a finite number for every joint, no older than --safety.max_command_age_s",
                hint="Check the command source; its last command was held.",
            )

    def _count(self, key: str, reason: str, detail: str = "") -> None:
        if reason not in self.interventions.get(key, {}):
            log.warning("safety gate: %s (%s); further ones are only counted", detail or key, reason)
        self._note(key, reason)

    def _note(self, key: str, reason: str) -> None:
        self.last_interventions[key] = reason
        reasons = self.interventions.setdefault(key, {})
        reasons[reason] = reasons.get(reason, 0) + 1


def as_number(value: object) -> float | None:
    """Read a scalar as a finite float; None if it is anything else, of whatever type."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, bool | str | bytes | bytearray) or value is None:
        return None
    try:
        # Array libraries' scalars have the shape (); an array of one element is not a scalar.
        if not isinstance(value, int | float) and tuple(value.shape) != ():  # type: ignore[attr-defined]
            return None
        number = float(value)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a foreign object may raise anything; whatever it raises, it is not a number
        return None
    return number if math.isfinite(number) else None


def _usable(requested: Mapping[Any, Any], limit: Limit) -> tuple[float | None, str]:
    if limit.key not in requested:
        return None, "missing"
    value = requested[limit.key]
    number = float(value) if limit.kind == "switch" and isinstance(value, bool) else as_number(value)
    return number, "not a number"


def _clamp(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value
