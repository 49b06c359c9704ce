"""Learning by a policy's own loss, as `lerobot train` does."""

import shutil
from pathlib import Path
from typing import Any

from lerobot.core.config import load
from lerobot.policies.config import PreTrainedConfig
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.finetune.collection import EXPERIENCE, experience
from lerobot.training.checkpoints.layout import LAST, MODEL, TRAIN_CONFIG, read_progress
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import BatchConfig, DatasetConfig, SourceConfig


def imitate(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path, run: Path) -> int | None:
    """Train a policy further, from where a killed training is.

    Args:
        config: of the run.
        policy: with the weights it begins from.
        folder: of the run.
        run: folder of this training.

    Returns:
        The exit code; None if there is nothing to imitate.

    Raises:
        LeRobotError: datasets and policy do not fit each other; see `lerobot.training.command.train`.
    """
    last = run / "checkpoints" / LAST
    if last.exists():
        if read_progress(last).step >= config.steps:
            return 0
        settings = f"--config_path={last.resolve() / MODEL / TRAIN_CONFIG}"
        return train(load(TrainPipelineConfig, [settings, "--resume=true"]).config)
    # Of a training that was killed before its first checkpoint.
    shutil.rmtree(run, ignore_errors=True)
    data = sources(config, folder, every=policy.reward_delta_indices is not None)
    return None if data is None else train(training(config, policy, data, run))


def training(config: FinetuneConfig, policy: PreTrainedConfig, data: DatasetConfig, run: Path) -> TrainPipelineConfig:
    """The configuration of `lerobot train` for a round."""
    return TrainPipelineConfig(
        policy=policy.model_copy(update={"push_to_hub": False}),
        dataset=data,
        output_dir=run,
        steps=config.steps,
        save_freq=config.save_freq,
        log_freq=max(1, config.steps // 10),
        seed=config.seed,
        optimizer=config.optimizer,
        scheduler=config.scheduler,
        rename_map=config.rename_map,
        keep_statistics=True,
        **{name: getattr(config, name) for name in BatchConfig.model_fields},
    )


def sources(config: FinetuneConfig, folder: Path, *, every: bool = False) -> DatasetConfig | None:
    """What is learned from, old and new, and how much of each; None if nothing is new.

    Args:
        config: of the run.
        folder: of the run.
        every: learn from episodes that failed too, as a policy that knows rewards can.
    """
    new: list[dict[str, Any]] = []
    if config.new_episodes is not None:
        new.append(config.new_episodes.model_dump())
    played = [number for number, each in enumerate(experience(folder, pictures=False)) if every or each.success]
    if played:
        new.append({"repo_id": EXPERIENCE, "root": str(folder / EXPERIENCE), "episodes": played})
    if not new:
        return None
    if config.dataset is not None:
        for each in new:
            each["weight"] = config.online_ratio / len(new)
        new.insert(0, {**config.dataset.model_dump(), "weight": 1 - config.online_ratio})
    first, *others = new
    further = [{name: each[name] for name in SourceConfig.model_fields if name in each} for each in others]
    return DatasetConfig.model_validate({**first, "mix_with": further})
