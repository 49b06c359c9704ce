"""`lerobot rollout`: a trained policy drives a robot, through the control loop and the safety gate."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

from lerobot.core.control.rerun_display import open_display
from lerobot.core.hooks import load_hooks
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import check_safety
from lerobot.remote.command import serve
from lerobot.remote.commands.serve import ServeConfig
from lerobot.remote.wire.config import ListenOptions
from lerobot.rollout.actor import make_actor
from lerobot.rollout.commands.policy_server import PolicyServerConfig
from lerobot.rollout.commands.robot_client import RobotClientConfig
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.interpolation import Interpolated
from lerobot.rollout.stage import Stage, Strategy

log = logging.getLogger(__name__)


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
    strategy: Strategy = config.strategy.build()
    with staged(config, config.robot.build()) as stage:
        return strategy.run(stage)


@contextmanager
def staged(config: RolloutConfig, robot: Robot) -> Iterator[Stage]:
    """Load a policy for a robot and check all that can be wrong, for the block that plays on the stage.

    Args:
        config: validated configuration.
        robot: need not be connected.

    Raises:
        LeRobotError: see `rollout`.
    """
    with closing(make_actor(config, robot)) as actor:
        check_safety(robot, config.safety)
        display = open_display(config, "lerobot_rollout")
        acting = Interpolated(actor, config.interpolation_multiplier)
        yield Stage(config, robot, actor, acting, display, load_hooks())


def robot_client(config: RobotClientConfig) -> int:
    """Run `rollout` by its earlier name; see there."""
    log.warning(
        "robot_client is now: lerobot rollout --policy.type=remote --policy.address=%s --inference.type=async",
        config.policy.address,
    )
    return rollout(config)


def policy_server(config: PolicyServerConfig) -> None:
    """Run `serve` with a policy by its earlier name; see there."""
    log.warning("policy_server is now: lerobot serve --policy.path=... --port=%d", config.port)
    where = {name: getattr(config, name) for name in ListenOptions.model_fields}
    serve(ServeConfig(policy=config.policy, **where))
