"""What `lerobot actor` and `lerobot learner` do."""

import logging
import tempfile
from contextlib import closing
from pathlib import Path

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.hooks import load_hooks
from lerobot.core.safety import check_safety
from lerobot.core.signals import StopSignals
from lerobot.policies.assembly import make_policy
from lerobot.policies.features import features_of_dataset
from lerobot.remote.wire.server import WireServer
from lerobot.rl.assembly import open_experience
from lerobot.rl.command import begun, conclude, run_folder
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.commands.learner import LearnerCommandConfig
from lerobot.rl.devices import make_devices
from lerobot.rl.pair.actor import play, received
from lerobot.rl.pair.courier import Courier
from lerobot.rl.pair.inbox import Inbox
from lerobot.rl.pair.learner import serve
from lerobot.rl.pair.messages import description
from lerobot.rl.run import states
from lerobot.training.checkpoints import random_state
from lerobot.training.torch_settings import torch_settings

logger = logging.getLogger(__name__)


def actor(config: ActorConfig) -> int:
    """Run the command: whatever ends it, the robot is in its safe state.

    Returns:
        0 when all actions are taken or a person ended it; 128 plus the signal's number when a signal did.

    Raises:
        DeviceConnectionError: there is no learner.
        RefusedError: it is one of another policy or robot.
        LeRobotError: a device failed, or the safety gate stopped the run.
    """
    devices = make_devices(config)
    check_safety(devices.robot, config.safety)
    own = make_policy(config.policy, features_of_dataset(devices.features), provider=f"robot {devices.robot}")
    agreed = description(own, devices.robot.observation_features, devices.actions, devices.fps)
    hooks = load_hooks()
    with hooks.run("actor", config), Courier(config.learner, agreed) as courier:
        files = courier.files(config.learner.wait_s)
        if files is None:
            place = f"{config.learner.host}:{config.learner.port}"
            raise DeviceConnectionError(
                f"there is no learner at {place} within {config.learner.wait_s:g} s.",
                hint="Start it: lerobot learner --config_path=...",
            )
        with tempfile.TemporaryDirectory() as folder, random_state.aside(config.seed + courier.episodes):
            return play(config, devices, courier, received(Path(folder), files, own), Path(folder), hooks)


def learner(config: LearnerCommandConfig) -> int:
    """Run the command; see `train_rl` for what it shares with that.

    Returns:
        0; 128 plus the signal's number when a signal ended it.

    Raises:
        LeRobotError: the run cannot start or go on; says why.
    """
    folder = run_folder(config)
    devices = make_devices(config)
    with torch_settings(deterministic=True), random_state.aside(config.seed), StopSignals() as signals:
        hooks = load_hooks()
        experience = open_experience(config, devices, folder)
        with closing(experience.dataset), hooks.run("learner", config):
            run = begun(config, devices, folder, hooks, experience)
            trained = run.learner.trained
            agreed = description(trained.policy, devices.robot.observation_features, devices.actions, devices.fps)
            inbox = Inbox(agreed, experience.dataset.ids)
            with signals.graceful(), WireServer(config.learner, inbox.serve) as server:
                logger.info("listening on %s", server.address)
                serve(run, inbox, signals, config.learner.push_s)
            if config.save_checkpoint and (run.steps > run.saved_at or run.newest is None):
                run.save(states())
            conclude(run, "learner", stopped=signals.exit_code != 0)
            return signals.exit_code
