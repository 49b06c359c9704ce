"""`train_config.json`: everything needed to start a run again, readable by the peer."""

from pathlib import Path
from typing import Any

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.policies.config import PreTrainedConfig
from lerobot.training.commands.train import TrainPipelineConfig

_WHOLE = {"policy", "env", "optimizer", "scheduler", "resume", "checkpoint_path", "output_dir"}
_SECTIONS = ("policy", "env", "optimizer", "scheduler")
_HOW_STARTED = {"executor", "launch"}
_ALWAYS = ("batch_size", "steps", "seed", "log_freq", "save_freq", "eval_steps", "env_eval_freq")


def to_launch(config: TrainPipelineConfig) -> dict[str, Any]:
    """Make the contents of a file that starts the same run elsewhere, but for what starts it."""
    fields = config.model_dump(mode="json", exclude_defaults=True, exclude={*_SECTIONS, *_HOW_STARTED})
    sections = {name: getattr(config, name) for name in _SECTIONS}
    return {**fields, **{name: each.model_dump(mode="json") for name, each in sections.items() if each is not None}}


def to_json(
    config: TrainPipelineConfig,
    policy: PreTrainedConfig,
    optimizer: OptimizerConfig,
    scheduler: SchedulerConfig | None,
    folder: Path,
) -> dict[str, Any]:
    """Make the contents of `train_config.json`.

    Fields that have their default are left out: the peer refuses every field that its version does not know.

    Args:
        config: the run.
        policy: configuration of the policy, features included.
        optimizer: settings in use.
        scheduler: settings in use.
        folder: folder of the run.
    """
    fields = config.model_dump(mode="json", exclude_defaults=True, exclude=_WHOLE | _HOW_STARTED)
    return {
        **fields,
        **config.model_dump(mode="json", include=set(_ALWAYS)),
        "num_workers": config.workers,
        "output_dir": str(folder),
        "policy": policy.model_dump(mode="json"),
        "env": None if config.env is None else config.env.model_dump(mode="json"),
        "optimizer": optimizer.model_dump(mode="json"),
        "scheduler": None if scheduler is None else scheduler.model_dump(mode="json"),
    }
