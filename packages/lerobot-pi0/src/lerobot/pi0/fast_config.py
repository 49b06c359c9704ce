"""Configuration of Pi0-FAST. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from lerobot.core.config.base import NoEffect, PathText
from lerobot.pi0.config import PALIGEMMA, PaliGemmaVLAConfig, StatePromptConfig
from lerobot.pi0.sizes import Variant
from lerobot.policies.networks.sizes import DecoderSize


def _unset(value: Any) -> bool:
    return value is None


class PI0FastPromptConfig(StatePromptConfig):
    """Writes task and state into the prompt, as Pi0-FAST was taught."""

    type: str = "pi0_fast_prepare_state_tokenizer_processor_step"


class PI0FastConfig(PaliGemmaVLAConfig):
    """Pi0-FAST: PaliGemma says actions in words of its own language, one after the other."""

    target: ClassVar[str] = "lerobot.pi0.fast_policy:PI0FastPolicy"
    processors: ClassVar[str] = "lerobot.pi0.fast_processors:fast_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("paligemma_variant", "action_expert_variant", "dtype", "chunk_size", "n_action_steps", "max_state_dim"),
        *("max_action_dim", "max_action_tokens", "use_relative_actions", "relative_exclude_joints"),
        *("action_feature_names", "rtc_config", "image_resolution", "empty_cameras", "tokenizer_max_length"),
        *("text_tokenizer_name", "action_tokenizer_name", "temperature", "max_decoding_steps", "fast_skip_tokens"),
        *("validate_action_token_prefix", "use_kv_cache", "normalization_mapping", "gradient_checkpointing"),
        *("compile_model", "compile_mode", "optimizer_lr", "optimizer_betas", "optimizer_eps"),
        *("optimizer_weight_decay", "optimizer_grad_clip_norm", "scheduler_warmup_steps", "scheduler_decay_steps"),
        "scheduler_decay_lr",
    )

    in_steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "text_tokenizer_name": (
            "tokenizer_processor.tokenizer_name",
            "action_tokenizer_processor.paligemma_tokenizer_name",
        ),
        "action_tokenizer_name": ("action_tokenizer_processor.action_tokenizer_name",),
    }

    type: str = "pi0_fast"

    action_expert_variant: Annotated[Variant, NoEffect()] = Field(
        default="gemma_300m", description="Accepted; there is no action expert."
    )
    action_expert: Annotated[DecoderSize | None, NoEffect()] = Field(
        default=None, exclude_if=_unset, description="Accepted; there is no action expert."
    )
    text_tokenizer_name: PathText = Field(
        default=PALIGEMMA, description="Tokenizer of PaliGemma: Hub repository or folder."
    )
    action_tokenizer_name: PathText = Field(
        default="lerobot/fast-action-tokenizer",
        description="FAST tokenizer of actions: Hub repository or folder, such as train-tokenizer writes.",
    )
    tokenizer_max_length: int = Field(default=200, gt=0, description="Longest prompt, tokens; what is longer is cut.")
    max_action_tokens: int = Field(default=256, gt=1, description="Longest chunk to learn, tokens; the rest is cut.")
    max_decoding_steps: int = Field(default=256, gt=0, description="Longest chunk that is said, tokens.")
    fast_skip_tokens: int = Field(
        default=128, ge=0, description="Last tokens of PaliGemma's vocabulary that stand for no action."
    )
    temperature: float = Field(default=0.0, ge=0, description="How tokens are drawn; 0: always the likeliest.")
    validate_action_token_prefix: bool = Field(
        default=True, description="Stop where what was said does not begin as a chunk does; false: hold what is known."
    )
    use_kv_cache: Annotated[bool, NoEffect()] = Field(
        default=True, description="Accepted; keys and values are always kept, which changes no token."
    )
    compile_model: Annotated[bool, NoEffect()] = Field(
        default=False, description="Accepted; sequences that grow are not worth compiling."
    )
