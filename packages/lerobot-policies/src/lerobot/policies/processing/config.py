"""Configurations of the tensor steps: their fields are the keys of the saved JSON, named as in the peer.

Fields listed in `saved_if_set` are unknown to the peer and written only where they differ from their default.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import NoEffect, PathText, ProcessorStepConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeatures

_HERE = "lerobot.policies.processing"


# --- numbers ---------------------------------------------------------------------------------------------------------


class _NormalizationConfig(ProcessorStepConfig):
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"normalize_observation_keys"})

    eps: float = Field(default=1e-8, gt=0, description="Added to standard deviations; takes the place of empty ranges.")
    features: PolicyFeatures = Field(default={}, description="Features to normalise, by key.")
    norm_map: dict[FeatureType, NormalizationMode] = Field(
        default={}, description="Mode per type of feature; types that are absent are left alone."
    )
    normalize_observation_keys: list[str] | None = Field(
        default=None, description="Observations to normalise; null: all of 'features'."
    )


class NormalizerConfig(_NormalizationConfig):
    """Scales observations and actions by the statistics of a dataset."""

    target: ClassVar[str] = f"{_HERE}.normalization:NormalizerProcessorStep"

    type: str = "normalizer_processor"


class UnnormalizerConfig(_NormalizationConfig):
    """Brings scaled observations and actions back to the units of the dataset."""

    target: ClassVar[str] = f"{_HERE}.normalization:UnnormalizerProcessorStep"

    type: str = "unnormalizer_processor"


# --- axes, devices, frameworks ---------------------------------------------------------------------------------------


class ToBatchConfig(ProcessorStepConfig):
    """Gives a single sample a batch axis."""

    target: ClassVar[str] = f"{_HERE}.batch:ToBatchProcessorStep"

    type: str = "to_batch_processor"


class ActionToBatchConfig(ProcessorStepConfig):
    """Gives a single action a batch axis."""

    target: ClassVar[str] = f"{_HERE}.batch:ActionToBatchProcessorStep"

    type: str = "to_batch_processor_action"


class ObservationToBatchConfig(ProcessorStepConfig):
    """Gives a single observation a batch axis."""

    target: ClassVar[str] = f"{_HERE}.batch:ObservationToBatchProcessorStep"

    type: str = "to_batch_processor_observation"


class ComplementaryDataToBatchConfig(ProcessorStepConfig):
    """Gives the complementary data of a single sample a batch axis."""

    target: ClassVar[str] = f"{_HERE}.batch:ComplementaryDataToBatchProcessorStep"

    type: str = "to_batch_processor_complementary_data"


class DeviceConfig(ProcessorStepConfig):
    """Moves tensors to a device."""

    target: ClassVar[str] = f"{_HERE}.device:DeviceProcessorStep"

    type: str = "device_processor"
    device: str = Field(default="cpu", description="cuda, mps, xpu or cpu.")
    float_dtype: Literal["float16", "float32", "float64", "bfloat16", "half", "float", "double"] | None = Field(
        default=None, description="Type of floating-point tensors; null: as they are."
    )


class NumpyToTorchActionConfig(ProcessorStepConfig):
    """Makes a tensor of a numpy action."""

    target: ClassVar[str] = f"{_HERE}.bridge:NumpyToTorchActionProcessorStep"

    type: str = "numpy2torch_action_processor"


class TorchToNumpyActionConfig(ProcessorStepConfig):
    """Makes a numpy array of a tensor action."""

    target: ClassVar[str] = f"{_HERE}.bridge:TorchToNumpyActionProcessorStep"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"squeeze_batch_dim"})

    type: str = "torch2numpy_action_processor"
    squeeze_batch_dim: bool = Field(default=True, description="Take away a batch axis of one.")


class GymObservationConfig(ProcessorStepConfig):
    """Turns an observation of a Gymnasium environment into the keys, axes and ranges of a dataset."""

    target: ClassVar[str] = f"{_HERE}.bridge:GymObservationProcessorStep"

    type: str = "observation_processor"


# --- images --------------------------------------------------------------------------------------------------------


class ImageCropResizeConfig(ProcessorStepConfig):
    """Cuts images out and brings them to one size."""

    target: ClassVar[str] = f"{_HERE}.images:ImageCropResizeProcessorStep"

    type: str = "image_crop_resize_processor"
    crop_params_dict: dict[str, tuple[int, int, int, int]] | None = Field(
        default=None, description="By observation key: top, left, height and width of what is kept, pixels."
    )
    resize_size: tuple[int, int] | None = Field(
        default=None, description="Height and width of every image afterwards, pixels; null: as cut out."
    )


# --- actions ---------------------------------------------------------------------------------------------------------


class RelativeActionsConfig(ProcessorStepConfig):
    """Makes actions relative to the present state of the robot."""

    target: ClassVar[str] = f"{_HERE}.relative:RelativeActionsProcessorStep"

    type: str = "relative_actions_processor"
    enabled: bool = Field(default=False, description="Do so; otherwise actions stay absolute.")
    exclude_joints: list[str] = Field(default=[], description="Parts of joint names whose actions stay absolute.")
    action_names: list[str] | None = Field(default=None, description="Joint names, in the order of the action.")


class AbsoluteActionsConfig(ProcessorStepConfig):
    """Makes relative actions absolute again, with the state the relative step saw last."""

    target: ClassVar[str] = f"{_HERE}.relative:AbsoluteActionsProcessorStep"

    type: str = "absolute_actions_processor"
    enabled: bool = Field(default=False, description="Do so; must be what the relative step says.")


# --- words -----------------------------------------------------------------------------------------------------------


class TokenizerConfig(ProcessorStepConfig):
    """Turns the task in words into tokens."""

    target: ClassVar[str] = f"{_HERE}.tokenizer:TokenizerProcessorStep"

    type: str = "tokenizer_processor"
    max_length: int = Field(default=512, gt=0, description="Length tokens are padded and cut to.")
    task_key: str = Field(default="task", description="Key of the task in the complementary data.")
    padding_side: Literal["left", "right"] = Field(default="right", description="Side of the padding.")
    padding: Literal["max_length", "longest", "do_not_pad"] = Field(
        default="max_length", description="What short texts are padded to."
    )
    truncation: bool = Field(default=True, description="Cut long texts.")
    tokenizer_name: PathText | None = Field(default=None, description="Hub repository or folder of the tokenizer.")


class NewLineConfig(ProcessorStepConfig):
    """Ends the task with a new line; the base of the registered steps that do so, one per family of policies."""

    target: ClassVar[str] = f"{_HERE}.prompt:NewLineProcessorStep"


class ActionTokenizerConfig(ProcessorStepConfig):
    """Turns chunks of actions into tokens of a language model, for policies that speak their actions."""

    target: ClassVar[str] = f"{_HERE}.action_tokenizer:ActionTokenizerProcessorStep"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"allow_truncation"})

    type: str = "action_tokenizer_processor"
    trust_remote_code: Annotated[bool, NoEffect()] = Field(
        default=True, description="Accepted; files of a tokenizer are read, and no program of theirs is run."
    )
    max_action_tokens: int = Field(default=256, gt=0, description="Length tokens are padded and cut to.")
    fast_skip_tokens: int = Field(
        default=128, ge=0, description="Last tokens of the language model's vocabulary that are left alone."
    )
    paligemma_tokenizer_name: PathText = Field(
        default="google/paligemma-3b-pt-224", description="Hub repository or folder of the language model's tokenizer."
    )
    allow_truncation: bool = Field(default=True, description="Cut chunks that need more tokens; false: an error.")
    action_tokenizer_name: PathText | None = Field(
        default=None, description="Hub repository or folder of the tokenizer of actions."
    )
