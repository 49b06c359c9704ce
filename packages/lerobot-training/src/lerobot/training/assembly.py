"""From a configuration to a policy in training: new, or where a checkpoint left it."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.checkpoint.adapters import make_adapter
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, features_of_dataset
from lerobot.policies.names import check_names
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.augmentation.draws import Augmentation
from lerobot.training.augmentation.state_noise import StateNoise
from lerobot.training.batches import Batches, StreamedBatches, TrainingBatches
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.folder import read_random
from lerobot.training.checkpoints.layout import MODEL, STATE, Progress, read_progress
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.compilation import compile_policy, recompute_blocks
from lerobot.training.config import PeftConfig
from lerobot.training.data import Demonstrations, open_dataset
from lerobot.training.learner.sharded import ShardedLearner
from lerobot.training.learner.supervised import SupervisedLearner
from lerobot.training.loop import Augments, Training
from lerobot.training.meter import Meter
from lerobot.training.optim.optimizers import optimizer_preset, scheduler_preset
from lerobot.training.resume import Resumption
from lerobot.training.sharding.model import mesh_of
from lerobot.training.teacher import load_teacher

logger = logging.getLogger(__name__)

_MANY_CHANNELS = 512
"""Channels from which on convolutions are left as they are; the measurement stands at `put_channels_last`."""


@dataclass(frozen=True, slots=True)
class Built:
    """A run that is ready to go.

    Attributes:
        training: what is trained, and how far it is.
        demonstrations: what it learns from.
        progress: of the checkpoint it goes on from; None for a new run.
        optimizer: settings of the optimizer in use.
        scheduler: settings of the schedule in use.
    """

    training: Training
    demonstrations: Demonstrations
    progress: Progress | None
    optimizer: OptimizerConfig
    scheduler: SchedulerConfig | None


def build(config: TrainPipelineConfig, accelerator: Accelerator, resumed: Resumption | None) -> Built:
    """Build a run; every process calls this.

    Args:
        config: the run.
        accelerator: the processes.
        resumed: from where it goes on; None for a new run.

    Raises:
        LeRobotError: dataset, policy and checkpoint do not fit each other, or one of them is damaged.
    """
    asked = config.policy.model_copy(update={"device": accelerator.device.type})
    demonstrations = open_dataset(config.dataset, asked, config, seed=config.seed, rename_map=config.rename_map)
    trained = _make(config, asked, demonstrations, None if resumed is None else resumed.checkpoint)
    if config.channels_last:
        put_channels_last(trained.policy)
    optimizer_config = config.optimizer or optimizer_preset(trained.policy.config)
    scheduler_config = config.scheduler
    if scheduler_config is None and config.use_policy_training_preset:
        scheduler_config = scheduler_preset(trained.policy.config)
    if config.accelerator.activation_checkpointing.mode == "full":
        recompute_blocks(trained.policy)
    if config.accelerator.compile.enabled:
        compile_policy(trained.policy, config.accelerator.compile)
    learner = _learner(config, accelerator, trained, optimizer_config, scheduler_config)
    if isinstance(learner, ShardedLearner):
        _require_frames(demonstrations, config, accelerator.num_processes)
    batches = _batches(config, demonstrations, trained, accelerator)
    training = Training(
        accelerator,
        learner,
        batches,
        demonstrations.cameras,
        demonstrations.numbers,
        Meter(config.batch_size * accelerator.num_processes, batches.frames_per_epoch),
        _augmentations(config, demonstrations, trained, accelerator),
        names=demonstrations.names,
    )
    progress = None
    if resumed is not None:
        progress = _go_on(training, batches, resumed, config)
    elif accelerator.process_index:
        # The same weights in all processes, and then different draws.
        random_state.seed_everything(config.seed + accelerator.process_index)
    return Built(training, demonstrations, progress, optimizer_config, scheduler_config)


def _learner(
    config: TrainPipelineConfig,
    accelerator: Accelerator,
    trained: PolicyWithProcessors,
    optimizer: OptimizerConfig,
    scheduler: SchedulerConfig | None,
) -> SupervisedLearner:
    mesh = mesh_of(config.parallelism, accelerator.num_processes, accelerator.device)
    settings: dict[str, Any] = {"total_steps": config.steps, "ema": config.ema}
    if mesh is None:
        return SupervisedLearner(accelerator, trained, optimizer, scheduler, **settings, prune=config.prune)
    if trained.policy.adapter is not None and config.checkpoint_format != "safetensors":
        raise LeRobotError(
            f"--checkpoint_format={config.checkpoint_format} is not for adapters",
            expected="safetensors: they are small",
        )
    settings |= {"mesh": mesh, "fsdp": config.accelerator.fsdp, "format": config.checkpoint_format}
    return ShardedLearner(accelerator, trained, optimizer, scheduler, **settings)


def _require_frames(data: Demonstrations, config: TrainPipelineConfig, processes: int) -> None:
    """Refuse to validate on fewer frames than there are processes, which call a shared policy together."""
    held_out = processes if data.validation is None else len(data.validation)
    frames = min(config.max_eval_samples or held_out, held_out)
    if frames < processes:
        raise LeRobotError(
            f"there are {frames} frames to validate on, and {processes} processes share the policy",
            expected="a frame for each: a larger --dataset.eval_split or --max_eval_samples",
        )


def _batches(
    config: TrainPipelineConfig, data: Demonstrations, trained: PolicyWithProcessors, accelerator: Accelerator
) -> Batches:
    pin_memory = accelerator.device.type == "cuda"
    if isinstance(data.training, StreamingLeRobotDataset):
        return StreamedBatches(data.training, config, pin_memory=pin_memory)
    return TrainingBatches(
        data.training,
        config,
        seed=config.seed,
        drop_n_last_frames=trained.policy.config.unlearned_last_frames,
        kept=data.kept,
        rank=accelerator.process_index,
        world_size=accelerator.num_processes,
        pin_memory=pin_memory,
    )


def _augmentations(
    config: TrainPipelineConfig, data: Demonstrations, trained: PolicyWithProcessors, accelerator: Accelerator
) -> list[Augments]:
    found: list[Augments] = []
    draws: dict[str, int] = {"seed": config.seed, "rank": accelerator.process_index}
    if config.dataset.image_transforms.enable:
        found.append(Augmentation(config.dataset.image_transforms, data.colour_cameras, **draws))
    if config.dataset.state_noise:
        features = features_of_dataset(data.features)
        states = [key for key, feature in features.items() if feature.type is FeatureType.STATE]
        deviations = {key: data.stats[key]["std"] for key in states}
        found.append(StateNoise(config.dataset.state_noise, deviations, **draws))
    if config.teacher is not None:
        # The last: it looks at what the policy that learns looks at, changed pictures and states included.
        features = features_of_dataset(data.features)
        found.append(load_teacher(config.teacher, trained.policy.config, features, **draws))
    return found


def _make(
    config: TrainPipelineConfig, asked: PreTrainedConfig, data: Demonstrations, checkpoint: Path | None
) -> PolicyWithProcessors:
    if checkpoint is not None:
        saved = Checkpoint.at(checkpoint / MODEL).config()
        if saved.type != asked.type:
            raise CheckpointError(f"checkpoint {checkpoint} is of a policy {saved.type!r}", expected=asked.type)
        asked = asked.model_copy(update={"pretrained_path": str(checkpoint / MODEL), "pretrained_revision": None})
    # What is no observation is renamed already; see `names_of_frames`.
    rename_map = {old: new for old, new in config.rename_map.items() if old not in data.names}
    _check_names(config, asked, data)
    policy = make_policy(asked, features_of_dataset(data.features), rename_map=rename_map)
    processors = make_pre_post_processors(
        policy.config,
        _renamed(data.stats, rename_map),
        rename_map=rename_map,
        new_statistics=checkpoint is None and not config.keep_statistics,
    )
    if config.peft is not None and checkpoint is None:
        _adapt(policy, config.peft)
    # What is saved names where the run began, not the checkpoint it was last resumed from.
    origin = {name: getattr(config.policy, name) for name in ("pretrained_path", "pretrained_revision")}
    policy.config = policy.config.model_copy(update=origin)
    return PolicyWithProcessors(policy, processors)


def _check_names(config: TrainPipelineConfig, asked: PreTrainedConfig, data: Demonstrations) -> None:
    declared = {old: data.features[new] for old, new in data.names.items()}
    declared |= {key: feature for key, feature in data.features.items() if key not in data.names.values()}
    # The outputs of a new policy are those of the dataset, whatever it was configured with.
    outputs = asked.output_features if asked.pretrained_path is not None else {}
    check_names(declared, {**asked.input_features, **outputs}, config.rename_map, f"dataset {config.dataset.repo_id}")


def _adapt(policy: PreTrainedPolicy, config: PeftConfig) -> None:
    base, revision = policy.config.pretrained_path, policy.config.pretrained_revision
    if base is None or policy.adapter is not None:
        raise LeRobotError(
            "--peft adapts a trained policy, and "
            + ("there is none" if base is None else f"{base} is an adapter itself"),
            expected="--policy.path=FOLDER of a policy with all its weights",
            hint="To learn an adapter further, leave --peft out." if base else "",
        )
    # Resolved: the adapter is of these weights, also when a run that goes on moves its `last`.
    place = str(Path(base).resolve()) if Path(base).is_dir() else base
    chosen = config.model_dump(exclude={"method_type"})
    if not chosen["target_modules"]:
        chosen["target_modules"] = policy.adapter_targets()
    policy.adapter = make_adapter(policy, place, revision, **chosen)
    policy.config = policy.config.model_copy(update={"use_peft": True})


def put_channels_last(policy: PreTrainedPolicy) -> None:
    """Change the layout of a policy's convolutions, which then bring pictures and features into it.

    Those between hundreds of channels, at the end of networks where pictures are a few pixels wide, are left: the
    layout makes them slower, of three pixels by half.
    """
    for module in policy.modules():
        # One by one: weights over time and space have five axes, for which torch has no such layout.
        if isinstance(module, nn.Conv2d) and module.in_channels < _MANY_CHANNELS:
            module.to(memory_format=torch.channels_last)


def _renamed(stats: dict[str, dict[str, Any]], rename_map: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {rename_map.get(key, key): values for key, values in stats.items()}


def _go_on(training: Training, batches: Batches, resumed: Resumption, config: TrainPipelineConfig) -> Progress:
    """Restore everything a checkpoint holds beside the weights; the random states come last."""
    checkpoint = resumed.checkpoint
    progress = read_progress(checkpoint)
    accelerator = training.accelerator
    processes, size = progress.num_processes or accelerator.num_processes, progress.batch_size or config.batch_size
    if (processes, size) != (accelerator.num_processes, config.batch_size):
        logger.warning(
            "the checkpoint was made by %d processes with batches of %d, and goes on with %d and %d: "
            "no frame is left out, but what follows is another run",
            processes, size, accelerator.num_processes, config.batch_size,
        )  # fmt: skip
    if progress.num_workers not in {None, config.workers}:
        raise LeRobotError(
            f"the checkpoint was made with --num_workers={progress.num_workers}, now it is {config.workers}",
            expected="the same number: each worker of a streamed dataset has episodes of its own",
        )
    training.learner.load_state(checkpoint / STATE, progress.step, new_settings=resumed.new_settings)
    batches.start_at(progress.step, size, processes)
    training.step = progress.step
    states = read_random(checkpoint, accelerator.process_index)
    if states is None:
        logger.warning("the checkpoint has no random states for process %d", accelerator.process_index)
        random_state.seed_everything(config.seed + accelerator.process_index)
    else:
        random_state.restore(states)
    return progress
