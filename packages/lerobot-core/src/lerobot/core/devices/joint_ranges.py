"""How far each joint moves while somebody teleoperates."""

from collections.abc import Mapping

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.protocols import Robot
from lerobot.core.tick import Tick
from lerobot.core.types import FeatureSpec, as_features

BANNER = "=" * 40


class JointRanges:
    """A sink that keeps the smallest and largest measured position of each joint.

    Args:
        joints: keys to watch.
        warmup_s: seconds from the first tick that do not count.
        total_s: length of the run, for the remaining time.
        prompter: who is told, once a second.
    """

    def __init__(self, joints: list[str], warmup_s: float, total_s: float, prompter: Prompter) -> None:
        self.smallest: dict[str, float] = {}
        self.largest: dict[str, float] = {}
        self._joints = joints
        self._warmup_s, self._total_s = warmup_s, total_s
        self._prompter = prompter
        self._started_s: float | None = None
        self._told_s = -1

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        if self._started_s is None:
            self._started_s = tick.deadline_s
        elapsed = tick.deadline_s - self._started_s
        # Half a microsecond, because deadlines are sums of periods.
        if elapsed < self._warmup_s - 5e-7:
            return
        if not self.smallest:
            self._prompter.say(f"{BANNER}\nRECORDING STARTED: move every joint to both of its ends.\n{BANNER}")
        for joint in self._joints:
            position = float(tick.observation[joint])
            self.smallest[joint] = min(position, self.smallest.get(joint, position))
            self.largest[joint] = max(position, self.largest.get(joint, position))
        if int(elapsed) > self._told_s:
            self._told_s = int(elapsed)
            self._prompter.say(f"Time remaining: {self._total_s - elapsed:.1f}s")


def joint_positions(robot: Robot) -> dict[str, FeatureSpec]:
    """Give the measured joint positions of a robot: numbers it observes and can be commanded to.

    Raises:
        FeatureMismatchError: there are none.
    """
    commanded = as_features(robot.action_features)
    found = {
        key: feature
        for key, feature in as_features(robot.observation_features).items()
        if feature.is_scalar and feature.dtype.startswith(("float", "int")) and key in commanded
    }
    if not found:
        raise FeatureMismatchError(
            f"robot {robot} measures no joint positions.",
            keys=list(commanded),
            expected="keys that are in observation_features and in action_features",
        )
    return found


def show(ranges: JointRanges, features: Mapping[str, FeatureSpec], prompter: Prompter) -> None:
    """Say how far each joint moved."""
    prompter.say(f"{BANNER}\nFINAL RESULTS\n{BANNER}")
    if not ranges.smallest:
        prompter.say("Nothing was recorded: the run ended during the warm-up.")
        return
    prompter.say("\n# Joint Position Limits (in each joint's unit):")
    prompter.say(f"joints = {list(ranges.smallest)}")
    prompter.say(f"units = {[features[joint].unit for joint in ranges.smallest]}")
    prompter.say(f"max_pos = {[round(value, 4) for value in ranges.largest.values()]}")
    prompter.say(f"min_pos = {[round(value, 4) for value in ranges.smallest.values()]}")
