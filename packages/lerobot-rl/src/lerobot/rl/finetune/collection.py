"""Episodes that the policy plays and a person corrects, through the one control loop and gate, kept as a dataset."""

from collections.abc import Iterator
from pathlib import Path

from lerobot.core.hooks import load_hooks
from lerobot.core.safety import check_safety, safe_end
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.record.progress import Progress
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import features_of_dataset
from lerobot.policies.player import TrainedPlayer
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.devices import SEEDS, Devices, make_devices
from lerobot.rl.play.player import connected_player
from lerobot.rl.replay.recording import ReplayDataset, read_episodes
from lerobot.rl.transition import Episode
from lerobot.rollout.source import PolicySource
from lerobot.training.checkpoints import random_state

EXPERIENCE = "experience"
"""Folder of the episodes in that of a run, and the name of the dataset."""


def collect(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path, wanted: int) -> int:
    """Play until there are so many episodes; each is durable when it is over.

    Args:
        config: of the run.
        policy: acts; with its weights.
        folder: of the run.
        wanted: episodes in all, of all rounds so far.

    Returns:
        0; another number if a signal or a person ended it before.

    Raises:
        LeRobotError: policy and robot do not fit each other, or a device failed; the robot is in its safe state.
    """
    devices = make_devices(config)
    check_safety(devices.robot, config.safety)
    with ReplayDataset(folder / EXPERIENCE, devices.fps, devices.features) as dataset:
        if len(dataset.ids) >= wanted:
            return 0
        with random_state.aside(config.seed + len(dataset.ids)):
            source = PolicySource(TrainedPlayer(trained_for(config, policy, devices)), devices.features, devices.task)
            source.rehearse()
            return _play(config, devices, source, dataset, wanted)


def trained_for(config: FinetuneConfig, policy: PreTrainedConfig, devices: Devices) -> PolicyWithProcessors:
    """Load a policy with its processors for these devices.

    Raises:
        FeatureMismatchError: they do not show what it needs.
    """
    made = make_policy(
        policy,
        features_of_dataset(devices.features),
        rename_map=config.rename_map,
        provider=f"robot {devices.robot}",
    )
    renamed = {old: new for old, new in config.rename_map.items() if old in devices.features}
    return PolicyWithProcessors(made, make_pre_post_processors(made.config, rename_map=renamed))


def _play(config: FinetuneConfig, devices: Devices, source: PolicySource, dataset: ReplayDataset, wanted: int) -> int:
    progress = Progress(speak=config.play_sounds)
    with safe_end(devices.robot, *devices.others) as session:
        session.close_later("progress line", progress.close)
        player = connected_player(config, session, devices, source, load_hooks(), progress.say)
        while len(dataset.ids) < wanted and not player.stopped and not session.signals.stop_requested:
            # Numbers that no judgement plays: what it learned by heart would count as success.
            episode = player.play(SEEDS + len(dataset.ids))
            if episode is not None:
                dataset.add(episode)
                progress.say(f"Episode {len(dataset.ids)} of {wanted}: {'success' if episode.success else 'failure'}")
    return session.signals.exit_code or int(player.stopped)


def experience(folder: Path, *, pictures: bool = True) -> Iterator[Episode]:
    """Read the episodes of a run, the oldest first; none if none was played."""
    if (folder / EXPERIENCE).exists():
        yield from read_episodes(LeRobotDataset(EXPERIENCE, folder / EXPERIENCE), pictures=pictures)
