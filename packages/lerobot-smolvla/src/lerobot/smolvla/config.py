"""Configuration of SmolVLA. Light: it imports no array library."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import PathText
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import OBSERVATION_STATE
from lerobot.policies.processing.config import NewLineConfig
from lerobot.policies.vla.config import FlowVLAConfig
from lerobot.smolvla.vlm import SMOLVLM2_500M, SmolVLMSize


class SmolVLANewLineConfig(NewLineConfig):
    """Ends the task with a new line, as SmolVLA was taught."""

    type: str = "smolvla_new_line_processor"


class SmolVLAConfig(FlowVLAConfig):
    """SmolVLA: tasks told in words, learned by fine-tuning a small vision-language model with an action expert."""

    target: ClassVar[str] = "lerobot.smolvla.policy:SmolVLAPolicy"
    processors: ClassVar[str] = "lerobot.smolvla.processors:smolvla_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("chunk_size", "n_action_steps", "normalization_mapping", "max_state_dim", "max_action_dim"),
        *("resize_imgs_with_padding", "empty_cameras", "adapt_to_pi_aloha", "use_delta_joint_actions_aloha"),
        *("tokenizer_max_length", "num_steps", "use_cache", "freeze_vision_encoder", "train_expert_only"),
        *("train_state_proj", "optimizer_lr", "optimizer_betas", "optimizer_eps", "optimizer_weight_decay"),
        *("optimizer_grad_clip_norm", "scheduler_warmup_steps", "scheduler_decay_steps", "scheduler_decay_lr"),
        *("vlm_model_name", "load_vlm_weights", "add_image_special_tokens", "attention_mode", "prefix_length"),
        *("pad_language_to", "num_expert_layers", "num_vlm_layers", "self_attn_every_n_layers"),
        *("expert_width_multiplier", "min_period", "max_period", "rtc_config", "compile_model", "compile_mode"),
    )

    type: str = "smolvla"

    resize_imgs_with_padding: tuple[int, int] | None = Field(
        default=(512, 512), description="Width and height of images; the rest is black. null: as they come."
    )
    adapt_to_pi_aloha: bool = Field(default=False, description="Joints of an ALOHA as the pi models count them.")
    use_delta_joint_actions_aloha: Literal[False] = Field(
        default=False, description="Not there in huggingface/lerobot either."
    )
    num_steps: int = Field(default=10, gt=0, description="Steps from noise to actions.")
    use_cache: Literal[True] = Field(default=True, description="Observations are looked at once per chunk.")

    freeze_vision_encoder: bool = Field(default=True, description="Leave the transformer for images as it is.")
    train_expert_only: bool = Field(default=True, description="Leave the vision-language model as it is.")
    train_state_proj: bool = Field(default=True, description="Learn how the state is shown to it.")

    optimizer_weight_decay: float = Field(default=1e-10, ge=0, description="Weight decay.")
    optimizer_grad_clip_norm: float = Field(default=10.0, ge=0, description="Largest norm of gradients; 0: any.")

    vlm_model_name: PathText = Field(
        default=SMOLVLM2_500M, description="Vision-language model: Hub repository or folder; has the tokenizer too."
    )
    vlm: SmolVLMSize | None = Field(
        default=None,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: value is None,
        description="Its sizes; null: those of vlm_model_name.",
    )
    load_vlm_weights: bool = Field(default=False, description="A new policy starts from its published weights.")
    add_image_special_tokens: bool = Field(default=False, description="Put its special tokens around images.")
    attention_mode: Literal["cross_attn", "self_attn"] = Field(
        default="cross_attn", description="Whether layers of the expert look at the other's keys, or at both's alike."
    )
    prefix_length: int = Field(default=-1, description="Tokens that images, task and state are filled up to.")
    pad_language_to: Literal["longest", "max_length"] = Field(
        default="longest", description="What short tasks are filled up to."
    )
    num_expert_layers: int = Field(default=-1, description="Layers of the expert; below 1: as many as the other's.")
    num_vlm_layers: int = Field(default=16, description="Layers of the language model in use; below 1: all.")
    self_attn_every_n_layers: int = Field(
        default=2, description="With cross_attn, every so manieth layer looks at both alike; below 1: none."
    )
    expert_width_multiplier: float = Field(default=0.75, gt=0, description="Width of the expert, in the other's.")
    min_period: float = Field(default=4e-3, gt=0, description="Shortest wave that describes time.")
    max_period: float = Field(default=4.0, gt=0, description="Longest wave that describes time.")

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The present observation, with an axis for time."""
        return [0]

    @property
    def size(self) -> SmolVLMSize:
        """Sizes of the vision-language model, read from its folder or the Hub if nothing else says them.

        Raises:
            CheckpointError: nobody knows them.
        """
        from lerobot.smolvla.sizes import size_of  # asks the Hub, which only who builds a network pays for

        return self.vlm if self.vlm is not None else size_of(self.vlm_model_name)

    @property
    def vocabulary(self) -> int:
        """Tokens of the language model."""
        return self.size.text.vocabulary

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        state, action = self.robot_state_feature, self.action_feature
        if self.adapt_to_pi_aloha and (
            state is None or state.shape != (14,) or action is None or action.shape != (14,)
        ):
            raise FeatureMismatchError(
                f"adapt_to_pi_aloha with a state of {None if state is None else state.shape}",
                keys=[OBSERVATION_STATE],
                expected="the 14 joints of an ALOHA as state and as action",
            )
