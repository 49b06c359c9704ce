"""From a configuration to a policy that learns, new or where a checkpoint left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.types import Features, as_features
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import ACTION, OBSERVATION_STATE, features_of_dataset
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rl.commands.train_rl import ReinforcementOptions
from lerobot.rl.devices import Devices
from lerobot.rl.learner import ReinforcementLearner
from lerobot.rl.replay.buffer import ReplayBuffer, ReplayMixture
from lerobot.rl.replay.recording import ReplayDataset, is_begun, read_episodes
from lerobot.rl.transition import Episode
from lerobot.training.checkpoints.layout import MODEL, STATE, find, read_json
from lerobot.training.config import DatasetConfig

REPLAY, DRAWS = "replay", "replay_state.json"


@dataclass(frozen=True, slots=True)
class Experience:
    """Everything that is learned from.

    Attributes:
        online: episodes of the run.
        offline: demonstrations, and the corrections of the run's episodes.
        dataset: the run's episodes on the disk.
        before: actions and success of each episode that was there before.
    """

    online: ReplayBuffer
    offline: ReplayBuffer
    dataset: ReplayDataset
    before: Sequence[tuple[int, bool]] = ()

    def add(self, episode: Episode) -> bool:
        """Save an episode, and learn from it from now on; one that was there before changes nothing."""
        if not self.dataset.add(episode):
            return False
        remember(episode, self.online, self.offline)
        return True


def open_experience(config: ReinforcementOptions, devices: Devices, folder: Path) -> Experience:
    """Read demonstrations and what the run experienced before.

    Args:
        config: of the run.
        devices: say what is stored.
        folder: of the run.

    Raises:
        LeRobotError: a dataset is missing, damaged, has no rewards, or does not fit.
    """
    online, pictures = config.online, PictureEncoder(config.online.pictures)
    buffers = (
        ReplayBuffer(online.capacity, seed=config.seed, pictures=pictures),
        ReplayBuffer(online.offline_capacity, seed=config.seed + 1, pictures=pictures),
    )
    if config.dataset is not None:
        kept = {key for key in devices.features if key != ACTION}
        for episode in read_episodes(demonstrations(config.dataset)):
            buffers[1].add(only(episode, kept))
    root = folder / REPLAY
    past = read_episodes(LeRobotDataset(REPLAY, root)) if is_begun(root) else ()
    ids, before = [], []
    for episode in past:
        remember(episode, *buffers)
        ids.append(episode.id)
        before.append((len(episode), episode.success))
    return Experience(*buffers, ReplayDataset(root, devices.fps, devices.features, ids=ids), before)


def remember(episode: Episode, online: ReplayBuffer, offline: ReplayBuffer) -> None:
    """Learn from an episode from now on: what a person corrected counts as demonstrated."""
    online.add(episode)
    for part in episode.corrections():
        offline.add(part)


def only(episode: Episode, keys: set[str]) -> Episode:
    """Leave out what the robot does not show."""
    rows = [
        type(row)({key: row.observation[key] for key in row.observation if key in keys}, *_rest(row))
        for row in episode.transitions
    ]
    return Episode(episode.id, rows, {key: episode.last[key] for key in episode.last if key in keys}, episode.task)


def _rest(row: Any) -> tuple[Any, ...]:
    return row.action, row.reward, row.terminal, row.success, row.intervention, row.extra


def demonstrations(config: DatasetConfig) -> LeRobotDataset:
    """Open the episodes that are asked for of a dataset.

    Raises:
        DatasetError: there is no such dataset or episode.
    """
    episodes = config.episodes
    if config.exclude_episodes:
        every = range(LeRobotDataset(config.repo_id, config.root).num_episodes) if episodes is None else episodes
        episodes = [number for number in every if number not in config.exclude_episodes]
    return LeRobotDataset(config.repo_id, config.root, episodes=episodes, revision=config.revision)


def make_learner(
    config: ReinforcementOptions, devices: Devices, experience: Experience, checkpoint: Path | None
) -> ReinforcementLearner:
    """Make what learns.

    Args:
        config: of the run.
        devices: say what a policy gets, and what it has to give.
        experience: what it learns from.
        checkpoint: folder of the checkpoint to go on from; None for a new run.

    Raises:
        LeRobotError: policy, devices and checkpoint do not fit each other.
    """
    trained = make_trained(config, devices, checkpoint)
    algorithm = config.learning.build(trained=trained)
    replay = ReplayMixture(experience.online, experience.offline, config.online_ratio)
    learner = ReinforcementLearner(algorithm, replay, config.batch_size, shift_pixels=config.online.shift_pixels)
    if checkpoint is not None:
        learner.load_state(checkpoint / STATE)
        draws = read_json(checkpoint / STATE / DRAWS)
        experience.online.load_state_dict(draws["online"])
        experience.offline.load_state_dict(draws["offline"])
    return learner


def make_trained(config: ReinforcementOptions, devices: Devices, checkpoint: Path | None) -> PolicyWithProcessors:
    """Make the policy with its processors: new, of `--policy.path`, or of a checkpoint.

    Actions are scaled by the range that the robot declares, if it does: a policy may go further than demonstrations.
    Other statistics are those of the demonstrations; where there are none, the ranges of what is measured.

    Raises:
        LeRobotError: policy and devices do not fit each other, or a statistic is known from nowhere.
    """
    asked = config.policy
    if checkpoint is not None:
        asked = asked.model_copy(update={"pretrained_path": str(checkpoint / MODEL), "pretrained_revision": None})
    policy = make_policy(asked, features_of_dataset(devices.features), provider=f"robot {devices.robot}")
    stats: dict[str, Any] = _ranges(devices)
    if config.dataset is not None:
        known = demonstrations(config.dataset).meta.stats
        stats |= {key: dict(value) for key, value in known.items() if key != ACTION or key not in stats}
    processors = make_pre_post_processors(policy.config, stats)
    origin = {name: getattr(config.policy, name) for name in ("pretrained_path", "pretrained_revision")}
    policy.config = policy.config.model_copy(update=origin)
    return PolicyWithProcessors(policy, processors)


def _ranges(devices: Devices) -> dict[str, dict[str, list[float]]]:
    """Smallest and largest value of what has a range by its declaration."""
    declared: dict[str, Features] = {ACTION: devices.actions, OBSERVATION_STATE: devices.robot.observation_features}
    found: dict[str, dict[str, list[float]]] = {}
    for key, features in declared.items():
        specs: Mapping[str, Any] = as_features(features)
        names = devices.features[key]["names"] if key in devices.features else []
        ranges = [specs[name].range for name in names if name in specs]
        if ranges and len(ranges) == len(names) and None not in ranges:
            found[key] = {"min": [low for low, _ in ranges], "max": [high for _, high in ranges]}
    return found


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint that a run goes on from; None if it made none.

    Raises:
        CheckpointError: it is incomplete.
    """
    last = folder / "checkpoints" / "last"
    return find(last) if last.exists() else None
