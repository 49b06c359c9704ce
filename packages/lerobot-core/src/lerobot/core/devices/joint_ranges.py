"""`lerobot find-joint-limits`: how far each joint moves while somebody teleoperates."""

from collections.abc import Mapping

from lerobot.core.commands.find_joint_limits import FindJointLimitsConfig
from lerobot.core.control import ControlLoop, TeleoperatorSource, Tick, require_features
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.hooks import load_hooks
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.protocols import Robot, Teleoperator
from lerobot.core.safety import SafetyGate, derive_limits, safe_end
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


def find_joint_limits(config: FindJointLimitsConfig, prompter: Prompter | None = None) -> int:
    """Run the command; what was measured is shown also after Ctrl-C.

    Args:
        config: validated configuration.
        prompter: who is told; the terminal if None.

    Returns:
        0; 128 plus the signal's number when a signal ended the run.

    Raises:
        FeatureMismatchError: the teleoperator does not fit the robot, or the robot measures no positions.
        DeviceError: a device failed.
    """
    prompter = prompter or TerminalPrompter()
    robot: Robot = config.robot.build()
    teleop: Teleoperator = config.teleop.build()
    require_features(
        teleop.action_features, robot.action_features, giver=f"teleoperator {teleop}", taker=f"robot {robot}"
    )
    derive_limits(robot.action_features, config.safety)
    features = joint_positions(robot)
    if config.urdf_path is not None:
        prompter.say("Bounds of the end effector are not measured: no installed package computes kinematics.")
    total_s = config.warmup_time_s + config.teleop_time_s
    ranges = JointRanges(list(features), config.warmup_time_s, total_s, prompter)
    hooks = load_hooks()
    with hooks.run("find-joint-limits", config), safe_end(robot, teleop) as session:
        session.close_later("results", lambda: _show(ranges, features, prompter))
        prompter.say(f"Connecting to robot: {config.robot.type}...")
        session.connect()
        prompter.say("Devices connected.")
        prompter.say(f"{BANNER}\nWARMUP PHASE ({config.warmup_time_s:g} s): nothing is recorded yet.\n{BANNER}")
        loop = ControlLoop(
            robot,
            TeleoperatorSource(teleop),
            SafetyGate.for_robot(robot, config.safety),
            fps=config.control_loop_fps,
            sinks=[ranges],
            hooks=hooks,
            signals=session.signals,
        )
        loop.run(duration_s=total_s)
    return session.signals.exit_code


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


def _show(ranges: JointRanges, features: Mapping[str, FeatureSpec], prompter: Prompter) -> None:
    prompter.say(f"{BANNER}\nFINAL RESULTS\n{BANNER}")
    if not ranges.smallest:
        prompter.say("Nothing was recorded: the run ended during the warm-up.")
        return
    prompter.say("\n# Joint Position Limits (in each joint's unit):")
    prompter.say(f"joints = {list(ranges.smallest)}")
    prompter.say(f"units = {[features[joint].unit for joint in ranges.smallest]}")
    prompter.say(f"max_pos = {[round(value, 4) for value in ranges.largest.values()]}")
    prompter.say(f"min_pos = {[round(value, 4) for value in ranges.smallest.values()]}")
