"""`lerobot rollout`: a trained policy drives a robot, through the control loop and the safety gate."""

from contextlib import closing

from lerobot.core.control.rerun_display import open_display
from lerobot.core.hooks import load_hooks
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import derive_limits
from lerobot.rollout.actor import make_actor
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.interpolation import Interpolated
from lerobot.rollout.stage import Stage, Strategy


def rollout(config: RolloutConfig) -> int:
    """Run the command.

    Everything that can be wrong is checked before the robot is connected: the checkpoint, that the robot provides what
    the policy needs, the limits, and by a rehearsal that the policy gives an action for such an observation.

    Args:
        config: validated configuration.

    Returns:
        0 after `duration` or all episodes; 128 plus the signal's number when a signal ended the run.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: policy and robot do not fit.
        DatasetError: the episodes cannot be recorded.
        ConfigError: a safety limit or display setting does not fit.
        DeviceError: the robot failed.
        SafetyError: the safety gate stopped the run.
    """
    robot: Robot = config.robot.build()
    strategy: Strategy = config.strategy.build()
    with closing(make_actor(config, robot)) as actor:
        derive_limits(robot.action_features, config.safety)
        display = open_display(config, "lerobot_rollout")
        acting = Interpolated(actor, config.interpolation_multiplier)
        return strategy.run(Stage(config, robot, actor, acting, display, load_hooks()))
