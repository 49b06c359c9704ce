"""The actor: plays with the newest weights, and hands over what happened."""

import logging
import time
from pathlib import Path

from lerobot.core.hooks import Hooks
from lerobot.core.safety import Session, safe_end
from lerobot.datasets.record.progress import Progress
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import WEIGHTS
from lerobot.policies.checkpoint.weights import load_weights
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.devices import Devices
from lerobot.rl.pair.courier import Courier
from lerobot.rl.play.player import Player, connected_player
from lerobot.rollout.source import PolicySource

logger = logging.getLogger(__name__)

POLL_S = 0.05
LAST_WORDS_S = 10.0
"""Time to deliver what is left at the end."""


def received(place: Path, files: dict[str, bytes], own: PreTrainedPolicy) -> PolicyWithProcessors:
    """Load the learner's weights and processors, under the actor's own settings.

    Raises:
        CheckpointError: they are incomplete, damaged, or of another policy.
    """
    for name, data in files.items():
        (place / name).write_bytes(data)
    return PolicyWithProcessors.from_pretrained(place, config=own.config)


def play(
    config: ActorConfig, devices: Devices, courier: Courier, trained: PolicyWithProcessors, place: Path, hooks: Hooks
) -> int:
    """Play until all actions are taken or somebody ends it; the robot is in its safe state then.

    Returns:
        0, or 128 plus the signal's number.
    """
    source = PolicySource(TrainedPlayer(trained), devices.features, devices.task)
    source.rehearse()
    progress = Progress(speak=config.play_sounds)
    with safe_end(devices.robot, *devices.others) as session:
        session.close_later("progress line", progress.close)
        player = connected_player(config, session, devices, source, hooks, progress.say, watching=courier.check)
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
        with player.aside():
            has_room = _wait_for_room(config, courier, session)
            if (weights := courier.new_weights()) is not None:
                _take_on(weights, trained, place)
        if not has_room:
            break
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


def _wait_for_room(config: ActorConfig, courier: Courier, session: Session) -> bool:
    """Wait while too many episodes are not delivered: the learner is gone, or much slower than the actor.

    Returns:
        Whether there is room; false if a signal ended the wait.
    """
    with session.signals.graceful():
        while courier.waiting >= config.learner.most_waiting:
            if session.signals.stop_requested:
                return False
            time.sleep(POLL_S)
            courier.check()
    return True


def _take_on(weights: bytes, trained: PolicyWithProcessors, place: Path) -> None:
    (place / WEIGHTS).write_bytes(weights)
    policy = trained.policy
    load_weights(policy, place / WEIGHTS, policy.published, None, next(policy.parameters()).device)
    policy.eval()
