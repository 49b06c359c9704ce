"""Settings that a policy and the steps before it have in common, such as the tokenizer of the actions it says.

Steps keep a copy of a tokenizer beside the checkpoint, and the policy takes that copy: the folder that was named when
it was trained may be gone, or on another computer. What is given anew when a checkpoint is loaded holds for both.
"""

from collections.abc import Mapping

from lerobot.core.processors.files import PipelineSource
from lerobot.policies.checkpoint.files import PREPROCESSOR, Checkpoint
from lerobot.policies.config import PreTrainedConfig


def copies(config: PreTrainedConfig, checkpoint: Checkpoint) -> dict[str, str]:
    """Find what a checkpoint keeps a copy of.

    Args:
        config: of the policy, which may differ from the saved one.
        checkpoint: with its processors.

    Returns:
        Path of the copy, by field of the configuration.

    Raises:
        CheckpointError: the file of the pre-processor is damaged, or a copy is not there.
    """
    fields = config.in_steps.keys() - _given_anew(config, checkpoint).keys()
    if not fields or checkpoint.find(f"{PREPROCESSOR}.json") is None:
        return {}
    place = PipelineSource(checkpoint.folder or checkpoint.source, f"{PREPROCESSOR}.json", checkpoint.resolve)
    kept = {
        f"{step.registry_name}.{key}": relative
        for step in place.read().steps
        for key, relative in step.artifacts.items()
    }
    # The first step named is the one that has it as the configuration does.
    first = {field: config.in_steps[field][0] for field in fields}
    return {field: str(place.locate(kept[step])) for field, step in first.items() if step in kept}


def overrides(config: PreTrainedConfig, checkpoint: Checkpoint) -> dict[str, dict[str, object]]:
    """Give the steps what was given anew.

    Args:
        config: of the policy.
        checkpoint: whose saved configuration it is compared with.

    Returns:
        Settings by step; see `DataProcessorPipeline`.
    """
    found: dict[str, dict[str, object]] = {}
    for field, value in _given_anew(config, checkpoint).items():
        for place in config.in_steps[field]:
            step, _, key = place.partition(".")
            found.setdefault(step, {})[key] = value
    return found


def _given_anew(config: PreTrainedConfig, checkpoint: Checkpoint) -> Mapping[str, object]:
    if not config.in_steps:
        return {}
    asked, saved = (each.model_dump(include=set(config.in_steps)) for each in (config, checkpoint.config()))
    return {field: value for field, value in asked.items() if value != saved[field]}
