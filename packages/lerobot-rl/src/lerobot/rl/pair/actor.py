"""What `lerobot actor` does."""

import logging
import tempfile
import time
from pathlib import Path

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.safety import Session, derive_limits, safe_end
from lerobot.datasets.record.progress import Progress
from lerobot.policies.assembly import PolicyWithProcessors, make_policy
from lerobot.policies.checkpoint.files import WEIGHTS
from lerobot.policies.checkpoint.weights import load_weights
from lerobot.policies.features import features_of_dataset
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.devices import Devices, make_devices
from lerobot.rl.pair.courier import Courier
from lerobot.rl.pair.messages import description
from lerobot.rl.play.player import KEYS, Player, PlayWish, Rules
from lerobot.rollout.controls import Controls
from lerobot.rollout.source import PolicySource
from lerobot.training.checkpoints import random_state

logger = logging.getLogger(__name__)

LAST_WORDS_S = 10.0
"""Time to deliver what is left at the end."""


def act(config: ActorConfig) -> int:
    """Run the command: whatever ends it, the robot is in its safe state.

    Returns:
        0 when all actions are taken or a person ended it; 128 plus the signal's number when a signal did.

    Raises:
        DeviceConnectionError: there is no learner.
        RefusedError: it is one of another policy or robot.
        LeRobotError: a device failed, or the safety gate stopped the run.
    """
    devices = make_devices(config)
    derive_limits(devices.robot.action_features, config.safety)
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
            return _play(config, devices, courier, _received(Path(folder), files, own), Path(folder), hooks)


def _received(place: Path, files: dict[str, bytes], own: PreTrainedPolicy) -> PolicyWithProcessors:
    """Load the learner's weights and processors, under the actor's own settings."""
    for name, data in files.items():
        (place / name).write_bytes(data)
    return PolicyWithProcessors.from_pretrained(place, config=own.config)


def _play(
    config: ActorConfig, devices: Devices, courier: Courier, trained: PolicyWithProcessors, place: Path, hooks: Hooks
) -> int:
    source = PolicySource(trained, devices.features, devices.task)
    source.rehearse()
    others = () if devices.teleoperator is None else (devices.teleoperator,)
    progress = Progress(speak=config.play_sounds)
    with safe_end(devices.robot, *others) as session:
        session.close_later("progress line", progress.close)
        session.connect()
        controls = Controls(PlayWish, KEYS, config.control_file, progress.say)
        session.close_later("controls", controls.close)
        rules = Rules(config.episode_time_s, config.reset_time_s, config.safety)
        player = Player(session, devices, source, rules, controls, hooks, watching=courier.check)
        _episodes(config, courier, trained, place, player, session)
    if not courier.drain(LAST_WORDS_S):
        logger.warning("%d episodes could not be delivered", courier.waiting)
    return session.signals.exit_code


def _episodes(
    config: ActorConfig,
    courier: Courier,
    trained: PolicyWithProcessors,
    place: Path,
    player: Player,
    session: Session,
) -> None:
    """Play, each episode with the newest weights."""
    number, steps = courier.episodes, 0
    while steps < config.online.steps and not (player.stopped or session.signals.stop_requested):
        if courier.waiting >= config.learner.most_waiting:
            with session.signals.graceful():
                time.sleep(0.1)
            courier.check()
            continue
        if (weights := courier.new_weights()) is not None:
            (place / WEIGHTS).write_bytes(weights)
            policy = trained.policy
            device = next(policy.parameters()).device
            load_weights(policy, place / WEIGHTS, policy.published, None, device)
            policy.eval()
        episode = player.play(number)
        if episode is None:
            continue
        number, steps = number + 1, steps + len(episode)
        courier.send(episode)
        logger.info(
            "episode %d: reward %.3g, %d steps, %d corrected",
            number,
            episode.reward,
            len(episode),
            episode.interventions,
        )
