"""Going on with a run: which checkpoint is meant, and that everything asked for is applied or refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.config import load
from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.training.checkpoints.layout import LAST, MODEL, TRAIN_CONFIG, find, read_json, read_progress
from lerobot.training.commands.train import TrainPipelineConfig

_FRAMES = "a run goes on with the frames it began with, in their order"
_STATISTICS = "a run goes on with the statistics it began with"
_WEIGHTS = "the weights are those of the checkpoint"
REFUSED = {
    "seed": "the order of frames and all random states are those of the checkpoint",
    "dataset.repo_id": _FRAMES,
    "dataset.episodes": _FRAMES,
    "dataset.exclude_episodes": _FRAMES,
    "dataset.eval_split": _FRAMES,
    "dataset.streaming": _FRAMES,
    "dataset.weight": _FRAMES,
    "dataset.mix_with": _FRAMES,
    "dataset.use_imagenet_stats": _STATISTICS,
    "dataset.depth_output_unit": _STATISTICS,
    "policy.type": _WEIGHTS,
    "policy.pretrained_path": _WEIGHTS,
    "policy.pretrained_revision": _WEIGHTS,
    "policy.use_peft": _WEIGHTS,
    "policy.input_features": _WEIGHTS,
    "policy.output_features": _WEIGHTS,
    "policy.normalization_mapping": "the processors are those of the checkpoint",
    "keep_statistics": _STATISTICS,
    "peft": "adapters are made when a run begins",
    "prune": "which weights are zero, and when more of them are, was settled when the run began",
    "optimizer.type": "the checkpoint holds the state of another optimizer",
    "use_policy_training_preset": "optimizer and schedule are those of the checkpoint",
}
"""What cannot change on the way, and why; everything else that a resumed run is given holds from there on."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """From where a run goes on.

    Attributes:
        checkpoint: folder of the checkpoint; the folder above `checkpoints` is the run.
        new_settings: whether settings of optimizer or schedule are other than the saved ones, and hold from here on.
    """

    checkpoint: Path
    new_settings: bool

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.checkpoint.parent.parent


def resumption(config: TrainPipelineConfig) -> Resumption:
    """Find out from where a run shall go on, and check that everything it is given can be obeyed.

    Raises:
        CheckpointError: there is no checkpoint, it is incomplete, or `--checkpoint_path` is of another run.
        LeRobotError: the run is finished, or something is asked for that cannot change on the way; says what and why.
    """
    checkpoint = _checkpoint(config)
    step = read_progress(checkpoint).step
    if step >= config.steps:
        raise LeRobotError(
            f"checkpoint {checkpoint} is at step {step}, and the run ends at step {config.steps}",
            hint=f"To train longer: --steps={2 * step}",
        )
    return Resumption(checkpoint, _new_settings(config, checkpoint))


def _checkpoint(config: TrainPipelineConfig) -> Path:
    """The checkpoint that `--config_path` stands in, or another one of the same run."""
    file = config.config_file
    if file is None or file.name != TRAIN_CONFIG or not file.absolute().parent.name.startswith(MODEL):
        return _named(config)
    own = find(file.absolute().parent.parent)
    asked = config.checkpoint_path
    # The file names the place where it was written, which may have been renamed or copied since.
    if asked is None or str(asked) == read_json(file).get("checkpoint_path"):
        return own
    chosen = find(asked)
    if chosen.parent != own.parent:
        raise CheckpointError(
            f"--checkpoint_path is of the run {chosen.parent.parent}, --config_path of {own.parent.parent}",
            expected="both of one run",
            hint=f"--config_path={chosen / MODEL / TRAIN_CONFIG} goes on with the former.",
        )
    return chosen


def _named(config: TrainPipelineConfig) -> Path:
    """The checkpoint that the configuration itself names."""
    if config.checkpoint_path is not None and config.checkpoint_path.exists():
        return find(config.checkpoint_path)
    if config.output_dir is not None and (last := config.output_dir / "checkpoints" / LAST).exists():
        return find(last)
    raise CheckpointError(
        f"there is no checkpoint {config.checkpoint_path or config.output_dir or ''}".rstrip(),
        expected="--config_path=RUN/checkpoints/last/pretrained_model/train_config.json",
        hint="If the folder was moved: --checkpoint_path=RUN/checkpoints/last",
    )


def _new_settings(config: TrainPipelineConfig, checkpoint: Path) -> bool:
    """Compare what a resumed run is given with what its checkpoint was made with; see `Resumption.new_settings`."""
    saved = load(TrainPipelineConfig, [f"--config_path={checkpoint / MODEL / TRAIN_CONFIG}"]).config
    run = checkpoint.parent.parent
    if config.output_dir not in {None, saved.output_dir} and Path(str(config.output_dir)).resolve() != run:
        raise LeRobotError(
            f"--output_dir={config.output_dir} is not the folder of the run, {run}",
            expected="no --output_dir with --resume=true: a run goes on where it is",
            hint="To go on elsewhere, copy the run's folder and give the --config_path in the copy.",
        )
    before, now = saved.model_dump(mode="json"), config.model_dump(mode="json")
    for name, reason in REFUSED.items():
        if _at(before, name) != _at(now, name):
            raise _refusal(name, _at(now, name), _at(before, name), reason)
    if (saved.scheduler is None) != (config.scheduler is None):
        raise _refusal("scheduler", now["scheduler"], before["scheduler"], "a schedule begins when a run begins")
    _require_used(saved, config)
    return saved.optimizer != config.optimizer or saved.scheduler != config.scheduler


def _require_used(saved: TrainPipelineConfig, config: TrainPipelineConfig) -> None:
    """Refuse fields of the policy that only say what a run begins with."""
    for name in ("optimizer", "scheduler"):
        before, now = (getattr(each.policy, f"{name}_preset")() for each in (saved, config))
        if before != now and before is not None:
            key = next((key for key in before if now is None or before[key] != now.get(key)), "type")
            hint = f"Say it as --{name}.{key}= instead."
            raise _refusal(f"policy.*{key}", (now or {}).get(key), before[key], f"the {name} is already made", hint)
    if saved.policy.unlearned_last_frames != config.policy.unlearned_last_frames:
        given, known = (each.policy.unlearned_last_frames for each in (config, saved))
        raise _refusal("policy.drop_n_last_frames", given, known, _FRAMES)


def _refusal(name: str, given: Any, known: Any, reason: str, hint: str = "") -> LeRobotError:
    return LeRobotError(
        f"--{name}={given} cannot be had with --resume=true: {reason}",
        expected=f"{known}, as in the checkpoint",
        hint=hint
        or "To begin a new run with the weights of this one: --policy.path=RUN/checkpoints/last/pretrained_model",
    )


def _at(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values
