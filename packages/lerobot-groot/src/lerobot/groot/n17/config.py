"""Configuration of GR00T N1.7. Light: it imports no array library."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, cast

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect, PathText
from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.config import EarlierGrootConfig, check_steps, check_widths
from lerobot.groot.n17.sizes import COSMOS, GROOT_N17_3B, GrootN17Size
from lerobot.groot.n17.step_configs import LONGEST_CHUNK, Transform
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode

if TYPE_CHECKING:
    from lerobot.groot.n17.published import Base

logger = logging.getLogger(__name__)

LIBERO = "libero_sim"
_LIBERO_STEPS = 8
"""Actions after which NVIDIA's evaluation in LIBERO predicts again."""

_REMAPPED: Mapping[str, tuple[Any, Any]] = {
    "max_state_dim": (64, 132),
    "max_action_dim": (32, 132),
    "chunk_size": (50, LONGEST_CHUNK),
    "n_action_steps": (50, LONGEST_CHUNK),
    "image_size": ((224, 224), (256, 256)),
}
"""Defaults of N1.5, which command lines of then still give, and what N1.7 has instead."""


class GrootConfig(PreTrainedConfig):
    """GR00T N1.7: tasks told in words, learned by fine-tuning a model of many kinds of robots.

    Files of earlier releases, which called GR00T N1.5 by the same name, are read as what they are.
    """

    target: ClassVar[str] = "lerobot.groot.n17.policy:GrootPolicy"
    processors: ClassVar[str] = "lerobot.groot.n17.processors:groot_processors"
    resizes_images: ClassVar[bool] = True
    scaled_by: ClassVar[tuple[str, str]] = ("groot_n1_7_pack_inputs_v1", "groot_action_unpack_unnormalize_v2")
    in_steps: ClassVar[Mapping[str, Sequence[str]]] = {"vlm_assets": ("groot_n1_7_vlm_encode_v1.model_name",)}

    type: str = "groot"

    chunk_size: int = Field(default=LONGEST_CHUNK, gt=0, description="Actions that are predicted at once, at most.")
    n_action_steps: int = Field(
        default=LONGEST_CHUNK, gt=0, description="Actions executed before predicting again, at most."
    )
    max_state_dim: int = Field(default=132, gt=0, description="Width that states are filled up to.")
    max_action_dim: int = Field(default=132, gt=0, description="Width that actions are filled up to.")
    normalization_mapping: Annotated[dict[FeatureType, NormalizationMode], NoEffect()] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.IDENTITY,
            FeatureType.ACTION: NormalizationMode.IDENTITY,
        },
        description="Accepted; states and actions are scaled by their extremes.",
    )
    base_model_path: PathText = Field(
        default=GROOT_N17_3B,
        description="Folder or Hub repository of NVIDIA's layout: sizes, processing, and weights to start from.",
    )
    action_decode_transform: Transform | None = Field(
        default=None, description="libero, none or auto: libero with the embodiment_tag libero_sim, else none."
    )
    embodiment_tag: str = Field(default="new_embodiment", description="Kind of robot, which has weights of its own.")
    tune_llm: bool = Field(default=False, description="Learn the language model.")
    tune_visual: bool = Field(default=False, description="Learn the transformer for images.")
    tune_projector: bool = Field(default=True, description="Learn what encodes and decodes states and actions.")
    tune_diffusion_model: bool = Field(default=True, description="Learn the blocks that carry noise to actions.")
    tune_vlln: bool = Field(default=True, description="Learn the blocks that work over what was seen and read.")
    tune_top_llm_layers: int = Field(default=0, ge=0, description="Last layers of the language model to learn.")
    num_inference_timesteps: int | None = Field(
        default=None, gt=0, description="Steps from noise to actions; null: those of the base, 4."
    )
    rtc_ramp_rate: float | None = Field(
        default=None, gt=0, description="How soon a chunk is free of the one it continues; null: that of the base, 6."
    )
    use_flash_attention: Annotated[bool, NoEffect()] = Field(
        default=False, description="Accepted; torch takes the fastest attention there is."
    )
    use_relative_actions: bool = Field(default=False, description="Actions are relative to the present state.")
    relative_exclude_joints: list[str] = Field(
        default=[], description="Parts of names of joints that stay absolute; of no joint: none does."
    )
    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decays of AdamW's two averages.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to AdamW's denominators.")
    optimizer_weight_decay: float = Field(default=1e-5, ge=0, description="Weight decay, of weights of layers alone.")
    warmup_ratio: float = Field(default=0.05, ge=0, le=1, description="Share of max_steps that the rate rises for.")
    use_bf16: bool = Field(default=True, description="Compute in bfloat16; weights stay as they are.")
    model_params_fp32: bool = Field(default=True, description="Weights in float32; false: in bfloat16.")

    image_size: Annotated[tuple[int, int], NoEffect()] = Field(
        default=(256, 256), description="Accepted; the base says it."
    )
    tokenizer_assets_repo: Annotated[str | None, NoEffect()] = Field(
        default=None, description="Of GR00T N1.5: what has it, is one."
    )
    lora_rank: Annotated[int, NoEffect()] = Field(default=0, description="Accepted; an adapter is --peft.r.")
    lora_alpha: Annotated[int, NoEffect()] = Field(default=16, description="Accepted; see lora_rank.")
    lora_dropout: Annotated[float, NoEffect()] = Field(default=0.1, description="Accepted; see lora_rank.")
    lora_full_model: Annotated[bool, NoEffect()] = Field(default=False, description="Accepted; see lora_rank.")
    video_backend: Annotated[str, NoEffect()] = Field(default="decord", description="Accepted: NVIDIA's runner.")
    balance_dataset_weights: Annotated[bool, NoEffect()] = Field(default=True, description="Accepted: the runner.")
    balance_trajectory_weights: Annotated[bool, NoEffect()] = Field(default=True, description="Accepted: the runner.")
    dataset_paths: Annotated[list[str] | None, NoEffect()] = Field(default=None, description="Accepted: the runner.")
    output_dir: Annotated[str, NoEffect()] = Field(default="./tmp/gr00t", description="Accepted: the runner.")
    save_steps: Annotated[int, NoEffect()] = Field(default=1000, description="Accepted: the runner.")
    max_steps: int = Field(default=10_000, gt=0, description="Batches of which warmup_ratio is a share.")
    batch_size: Annotated[int, NoEffect()] = Field(default=32, description="Accepted: the runner.")
    dataloader_num_workers: Annotated[int, NoEffect()] = Field(default=8, description="Accepted: the runner.")
    report_to: Annotated[str, NoEffect()] = Field(default="wandb", description="Accepted: the runner.")
    resume: Annotated[bool, NoEffect()] = Field(default=False, description="Accepted: the runner.")

    # The peer refuses every field that it does not know: these are written only where they say something.
    load_base_weights: bool = Field(
        default=True,
        exclude_if=lambda value: value is True,
        description="A new policy starts from the weights of base_model_path; false: at random.",
    )
    network: GrootN17Size | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Other sizes; null: those of the base."
    )
    vlm_assets: PathText = Field(
        default=COSMOS,
        exclude_if=lambda value: value == COSMOS,
        description="Hub repository or folder with the tokenizer and image settings of Qwen3-VL.",
    )

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """See pydantic; what names Eagle's tokenizer is of an earlier release, and a GR00T N1.5."""
        if cls is GrootConfig and isinstance(obj, Mapping) and obj.get("tokenizer_assets_repo"):
            # Whoever reads a policy's file takes any policy's configuration.
            return cast("Self", EarlierGrootConfig.model_validate(obj, **options))
        return super().model_validate(obj, **options)

    @model_validator(mode="before")
    @classmethod
    def _of_other_releases(cls, value: Any) -> Any:
        """Fill in what depends on other fields, and replace defaults of N1.5."""
        if not isinstance(value, Mapping):
            return value
        fields = dict(value)
        if fields.get("base_model_path") is None:
            fields["base_model_path"] = GROOT_N17_3B
        asked = fields.get("action_decode_transform", "auto")
        known = {"auto": "libero" if fields.get("embodiment_tag") == LIBERO else None, "none": None, "": None}
        fields["action_decode_transform"] = known.get(asked.lower(), asked.lower()) if isinstance(asked, str) else asked
        for name, (old, new) in _REMAPPED.items():
            given = fields.get(name)
            if given is not None and (tuple(given) if isinstance(given, list) else given) == old:
                logger.warning("%s=%s is a default of GR00T N1.5: it is %s with N1.7", name, old, new)
                fields[name] = new
        return fields

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        base = self.base_model_path.lower()
        if self.tokenizer_assets_repo or "gr00t-n1.5" in base or "gr00t_n1.5" in base:
            raise PydanticCustomError("groot_version", "a GR00T N1.7; N1.5 is the policy groot_n15")
        check_steps(self.n_obs_steps, self.n_action_steps, self.chunk_size)
        return self

    # --- what the base says ------------------------------------------------------------------------------------------

    @property
    def base(self) -> "Base | None":
        """What files of the base say about processing; None for the published one.

        Raises:
            CheckpointError: there are none, or they are of something else.
        """
        from lerobot.groot.n17.published import base_of  # asks the Hub, which only who needs it pays for

        return base_of(self.base_model_path, self.embodiment_tag)

    @property
    def size(self) -> GrootN17Size:
        """Sizes of the networks, read from folders or the Hub if nothing else says them.

        Raises:
            CheckpointError: nobody knows them.
        """
        from lerobot.groot.n17.published import size_of

        size = self.network
        if size is None:
            size = size_of(self.base_model_path, states=self.max_state_dim, actions=self.max_action_dim)
        asked = {"steps": self.num_inference_timesteps, "ramp_rate": self.rtc_ramp_rate}
        head = size.head.model_copy(update={name: value for name, value in asked.items() if value is not None})
        return size.model_copy(update={"head": head})

    @property
    def horizon(self) -> int:
        """Actions of a chunk that are learned."""
        learned = self._learned
        return min(self.chunk_size, LONGEST_CHUNK if learned is None else learned, self.size.head.horizon)

    @property
    def _learned(self) -> int | None:
        """Those that the base learned for this kind of robot; None if nobody says, or it is written down already."""
        base = None if self.network is not None else self.base
        return None if base is None else base.horizon

    def with_sizes(self) -> Self:
        """Write down what files of the base say, unless it is the published one, so that a checkpoint needs no other.

        What has a field is written there: the peer refuses fields that it does not know.
        """
        if self.base_model_path == GROOT_N17_3B or self.network is not None:
            return self
        written = {"chunk_size": self.horizon, "n_action_steps": self.executed_steps, "network": self.size}
        return self.model_copy(update=written)

    @property
    def vocabulary(self) -> int:
        """Tokens of the language model."""
        return self.size.vocabulary

    @property
    def cast_dtype(self) -> str | None:
        """See `PreTrainedConfig.cast_dtype`."""
        return self.dtype or (None if self.model_params_fp32 else "bfloat16")

    @property
    def norm_map(self) -> dict[FeatureType, NormalizationMode]:
        """See `PreTrainedConfig.norm_map`: whatever the files say, the steps scale by extremes."""
        return {FeatureType.STATE: NormalizationMode.MIN_MAX, FeatureType.ACTION: NormalizationMode.MIN_MAX}

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        in_libero = self.embodiment_tag == LIBERO and self._learned is not None
        return min(self.n_action_steps, self.horizon, _LIBERO_STEPS if in_libero else self.horizon)

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.horizon)

    @property
    def unlearned_last_frames(self) -> int:
        """Frames whose chunk the episode does not have."""
        return self.horizon - 1

    def scaling_overrides(self, stats: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """See `PreTrainedConfig.scaling_overrides`; statistics of parts, which come from NVIDIA's files, stay."""
        from lerobot.groot.n17.published import scales_parts

        if self.pretrained_path is not None and scales_parts(self.pretrained_path, self.pretrained_revision):
            return {}, {}
        before, behind = self.scaled_by
        return {before: {"stats": stats}}, {behind: {"stats": stats}}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        check_widths(self)

    def require_absolute(self, what: str) -> None:
        """Refuse what needs actions that are not relative to a state.

        Raises:
            FeatureMismatchError: they are.
        """
        if self.use_relative_actions:
            raise FeatureMismatchError(
                f"policy {self.type!r} with use_relative_actions cannot {what}: its actions are relative to the state "
                "that the chunk was predicted from",
                expected="whole chunks, brought to the robot's units at once",
            )

    # --- learning ----------------------------------------------------------------------------------------------------

    def optimizer_preset(self) -> Mapping[str, Any]:
        """AdamW."""
        return {
            "type": "adamw",
            "lr": self.optimizer_lr,
            "betas": list(self.optimizer_betas),
            "eps": self.optimizer_eps,
            "weight_decay": self.optimizer_weight_decay,
            "grad_clip_norm": 1.0,
        }

    def scheduler_preset(self) -> Mapping[str, Any]:
        """Warm-up, then a cosine down to nothing."""
        warmup = math.ceil(self.max_steps * self.warmup_ratio)
        return {"type": "diffuser", "name": "cosine", "num_warmup_steps": warmup}
