"""Configurations of X-VLA: policy, optimizer and processor steps. Light: they import no array library."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import OptimizerConfig, PathText, ProcessorStepConfig
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.policies.features import ACTION, OBSERVATION_STATE, FeatureType, NormalizationMode, PolicyFeatures
from lerobot.policies.vla.config import EMPTY_CAMERA, VLAConfig
from lerobot.xvla.action_spaces import ActionSpace, action_space
from lerobot.xvla.sizes import FlorenceSize

logger = logging.getLogger(__name__)


class XVLAConfig(VLAConfig):
    """X-VLA: one network for many robots, which prompts and projections of its own tell from each other."""

    target: ClassVar[str] = "lerobot.xvla.policy:XVLAPolicy"
    processors: ClassVar[str] = "lerobot.xvla.processors:xvla_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("chunk_size", "n_action_steps", "dtype", "normalization_mapping", "florence_config", "tokenizer_name"),
        *("tokenizer_max_length", "tokenizer_padding_side", "pad_language_to", "hidden_size", "depth", "num_heads"),
        *("mlp_ratio", "num_domains", "len_soft_prompts", "dim_time", "max_len_seq", "use_hetero_proj"),
        *("action_mode", "num_denoising_steps", "use_proprio", "max_state_dim", "max_action_dim"),
        *("domain_feature_key", "resize_imgs_with_padding", "num_image_views", "empty_cameras"),
        *("freeze_vision_encoder", "freeze_language_encoder", "train_policy_transformer", "train_soft_prompts"),
        *("optimizer_lr", "optimizer_betas", "optimizer_eps", "optimizer_weight_decay", "optimizer_grad_clip_norm"),
        *("optimizer_soft_prompt_lr_scale", "optimizer_soft_prompt_warmup_lr_scale", "scheduler_warmup_steps"),
        *("scheduler_decay_steps", "scheduler_decay_lr"),
    )

    type: str = "xvla"

    chunk_size: int = Field(default=32, gt=0, description="Actions predicted at once.")
    n_action_steps: int = Field(default=32, gt=0, description="Actions executed before predicting again.")
    dtype: Literal["float32", "bfloat16"] = Field(default="float32", description="Type of all weights.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.IDENTITY,
            FeatureType.ACTION: NormalizationMode.IDENTITY,
        },
        description="How each type of feature is scaled.",
    )
    florence_config: dict[str, Any] = Field(
        default={}, description="Florence-2: vision_config and text_config, in its own form or that of transformers."
    )
    tokenizer_name: PathText = Field(
        default="facebook/bart-large", description="Its tokenizer: Hub repository or folder."
    )
    tokenizer_max_length: int = Field(default=64, gt=0, description="Longest task, tokens; what is longer is cut.")
    tokenizer_padding_side: Literal["left", "right"] = Field(
        default="right", description="Side short tasks are filled."
    )
    pad_language_to: Literal["longest", "max_length"] = Field(
        default="max_length", description="What short tasks are filled up to; what fills them is read."
    )

    hidden_size: int = Field(default=1024, gt=0, description="Width of the network that finds actions.")
    depth: int = Field(default=24, gt=0, description="Its layers.")
    num_heads: int = Field(default=16, gt=0, description="Its heads of attention.")
    mlp_ratio: float = Field(default=4.0, gt=0, description="Width inside its feed-forward blocks, in its own.")
    num_domains: int = Field(default=30, gt=0, description="Kinds of robots that are told from each other.")
    len_soft_prompts: int = Field(default=32, ge=0, description="Learned tokens for each of them.")
    dim_time: int = Field(default=32, gt=0, description="Numbers that describe a time.")
    max_len_seq: int = Field(default=512, gt=0, description="Most tokens: actions, images and task.")
    use_hetero_proj: bool = Field(default=False, description="Project images and task for each domain differently.")

    action_mode: str = Field(default="ee6d", description="What the numbers of an action mean, by name.")
    num_denoising_steps: int = Field(default=10, gt=0, description="Steps from noise to actions.")
    use_proprio: bool = Field(default=True, description="Look at the robot's own state.")
    max_action_dim: int = Field(default=20, gt=0, description="With action_mode=auto: width actions are filled up to.")
    domain_feature_key: str | None = Field(
        default=None, description="Key of the batch that says the domain; null: the pre-processor does."
    )
    resize_imgs_with_padding: tuple[int, int] | None = Field(
        default=None, description="Height and width of images; the rest is 0. null: as they come."
    )
    num_image_views: int | None = Field(
        default=None, gt=0, description="Images, empty ones included; null or too few: cameras and empty_cameras."
    )

    freeze_vision_encoder: bool = Field(default=False, description="Leave the transformer for images as it is.")
    freeze_language_encoder: bool = Field(default=False, description="Leave the encoder for text as it is.")
    train_policy_transformer: bool = Field(default=True, description="Learn the network that finds actions.")
    train_soft_prompts: bool = Field(default=True, description="Learn the prompts of the domains.")
    gradient_checkpointing: bool = Field(
        default=False,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: not value,
        description="Compute again in the backward pass what would fill the memory.",
    )

    optimizer_betas: tuple[float, float] = Field(default=(0.9, 0.99), description="Decays of AdamW's two averages.")
    optimizer_weight_decay: float = Field(default=0.0, ge=0, description="Weight decay.")
    optimizer_grad_clip_norm: float = Field(default=10.0, ge=0, description="Largest norm of gradients; 0: any.")
    optimizer_soft_prompt_lr_scale: float = Field(
        default=1.0, ge=0, description="Learning rate of the prompts, in the others'."
    )
    optimizer_soft_prompt_warmup_lr_scale: float | None = Field(
        default=None, ge=0, description="Takes its place if given; the schedule scales it like the others."
    )

    @model_validator(mode="after")
    def _backbone_fits(self) -> Self:
        """A backbone that is described must be one that is here."""
        if self.hidden_size % self.num_heads:
            raise PydanticCustomError("xvla_heads", "a hidden_size that num_heads divides")
        if self.florence_config:
            try:
                FlorenceSize.model_validate(self.florence_config)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(("florence_config", *map(str, first["loc"])))
                raise PydanticCustomError(
                    "xvla_florence", "{place}: {problem}", {"place": place, "problem": first["msg"]}
                ) from error
        if self.input_features:
            # A frozen model has no other way to complete itself.
            object.__setattr__(self, "num_image_views", self._views(self.input_features))
        return self

    def _views(self, inputs: PolicyFeatures) -> int:
        cameras = [key for key, feature in inputs.items() if feature.type is FeatureType.VISUAL]
        real = [key for key in cameras if not key.startswith(EMPTY_CAMERA.format(""))]
        return max(self.num_image_views or 1, len(real) + self.empty_cameras, len(cameras))

    def with_features(self, provided: PolicyFeatures) -> Self:
        """See `PreTrainedConfig.with_features`; images are counted."""
        found = super().with_features(provided)
        return found.model_copy(update={"num_image_views": found._views(found.input_features)})

    @property
    def florence(self) -> FlorenceSize:
        """Sizes of the backbone.

        Raises:
            LeRobotError: nothing says them.
        """
        if not self.florence_config:
            raise LeRobotError(
                "policy 'xvla' has no florence_config",
                expected="vision_config and text_config of a Florence-2, which every checkpoint has: "
                "--policy.path=lerobot/xvla-base",
            )
        return FlorenceSize.model_validate(self.florence_config)

    @property
    def vocabulary(self) -> int:
        """Tokens of the encoder for text."""
        return self.florence.text_config.vocab_size

    @property
    def action_space(self) -> ActionSpace:
        """What the numbers of an action mean.

        Raises:
            LeRobotError: nobody provides the space of this name.
        """
        return action_space(self.action_mode, self)

    @property
    def state_width(self) -> int:
        """Numbers of the state that the network takes."""
        return self.max_state_dim if self.use_proprio else 0

    @property
    def cast_dtype(self) -> None:
        """See `PreTrainedConfig.cast_dtype`: `dtype` says what the networks declare."""
        return None

    @property
    def empty_camera_size(self) -> tuple[int, int]:
        """See `VLAConfig.empty_camera_size`."""
        return self.resize_imgs_with_padding or super().empty_camera_size

    @property
    def reads_state(self) -> bool:
        """See `VLAConfig.reads_state`."""
        return self.use_proprio

    @property
    def widest(self) -> Mapping[str, str]:
        """See `VLAConfig.widest`: a state that is wider is cut, and other spaces have a width of their own."""
        return {ACTION: "max_action_dim"} if self.action_mode.lower() == "auto" else {}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`.

        Raises:
            LeRobotError: there is no backbone, or no such space of actions.
        """
        super().validate_features()
        self.florence  # noqa: B018 - refuses
        space, state = self.action_space, self.robot_state_feature
        if state is not None and self.use_proprio and state.shape[0] > self.max_state_dim:
            logger.warning(
                "%s has %d numbers; policy 'xvla' looks at the first %d (max_state_dim)",
                OBSERVATION_STATE,
                state.shape[0],
                self.max_state_dim,
            )
        if (width := self.output_features[ACTION].shape[0]) > space.own:
            raise FeatureMismatchError(
                f"{ACTION} has {width} numbers, and action_mode={self.action_mode} has {space.own}",
                keys=[ACTION],
                expected=f"at most {space.own}, or --policy.action_mode=auto",
            )

    def optimizer_preset(self) -> Mapping[str, Any]:
        """AdamW, with a tenth of the rate for the backbone."""
        return {
            **super().optimizer_preset(),
            "type": "xvla-adamw",
            "soft_prompt_lr_scale": self.optimizer_soft_prompt_lr_scale,
            "soft_prompt_warmup_lr_scale": self.optimizer_soft_prompt_warmup_lr_scale,
        }


class XVLAAdamWConfig(OptimizerConfig):
    """AdamW, with a tenth of the rate for a vision-language model and a rate of their own for soft prompts."""

    target: ClassVar[str] = "lerobot.xvla.optimizer:xvla_adamw"

    type: str = "xvla-adamw"
    lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    betas: tuple[float, float] = Field(default=(0.9, 0.99), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    soft_prompt_lr_scale: float = Field(default=1.0, ge=0, description="Rate of soft prompts, in the others'.")
    soft_prompt_warmup_lr_scale: float | None = Field(
        default=None, ge=0, description="Takes its place if given; a schedule scales it like the others."
    )


# --- processor steps -------------------------------------------------------------------------------------------------


class _ImageConfig(ProcessorStepConfig):
    image_keys: list[str] | None = Field(default=None, description="Images; null: all observation.images.*")


class ImageScaleConfig(_ImageConfig):
    """Multiplies images by 255."""

    target: ClassVar[str] = "lerobot.xvla.steps:ImageScaleProcessorStep"

    type: str = "xvla_image_scale"


class ImageToFloatConfig(_ImageConfig):
    """Divides images of bytes by 255; what is in [0, 1] stays."""

    target: ClassVar[str] = "lerobot.xvla.steps:ImageToFloatProcessorStep"

    type: str = "xvla_image_to_float"
    validate_range: bool = Field(default=True, description="Refuse what is outside [0, 255].")


class ImageNetNormalizeConfig(_ImageConfig):
    """Scales images in [0, 1] by mean and standard deviation of ImageNet."""

    target: ClassVar[str] = "lerobot.xvla.steps:ImageNetNormalizeProcessorStep"

    type: str = "xvla_imagenet_normalize"


class AddDomainIdConfig(ProcessorStepConfig):
    """Says which kind of robot this is."""

    target: ClassVar[str] = "lerobot.xvla.steps:AddDomainIdProcessorStep"

    type: str = "xvla_add_domain_id"
    domain_id: int = Field(default=0, ge=0, description="Number of the domain.")


class Rotation6DToAxisAngleConfig(ProcessorStepConfig):
    """Makes a hand's place, axis times angle and open or closed gripper of the first ten numbers of an action."""

    target: ClassVar[str] = "lerobot.xvla.steps:Rotation6DToAxisAngleProcessorStep"

    type: str = "xvla_rotation_6d_to_axis_angle"
    expected_action_dim: int = Field(default=10, ge=10, description="Numbers of an action, at least.")
