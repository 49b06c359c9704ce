"""Configuration of GR00T N1.5. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect, PathText
from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.sizes import EAGLE_ASSETS, GROOT_N15_3B, PUBLISHED, GrootN15Size
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import ACTION, OBSERVATION_STATE, FeatureType, NormalizationMode

_RUN = 10_000
"""Batches of the published recipe."""


class GrootN15Config(PreTrainedConfig):
    """GR00T N1.5: tasks told in words, learned by fine-tuning a model of many kinds of robots."""

    target: ClassVar[str] = "lerobot.groot.policy:GrootN15Policy"
    processors: ClassVar[str] = "lerobot.groot.processors:groot_processors"
    resizes_images: ClassVar[bool] = True
    scaled_by: ClassVar[tuple[str, str]] = ("groot_pack_inputs_v3", "groot_action_unpack_unnormalize_v1")
    in_steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "tokenizer_assets_repo": (
            "groot_eagle_collate_v3.tokenizer_assets_repo",
            "groot_eagle_encode_v3.tokenizer_assets_repo",
        )
    }

    type: str = "groot_n15"

    pretrained_revision: str | None = Field(
        default=None,
        # Releases that know this policy refuse every field that they do not know.
        exclude_if=lambda value: value is None,
        description="Branch, tag or commit of that repository.",
    )
    chunk_size: int = Field(default=50, gt=0, description="At least the actions that are predicted at once.")
    n_action_steps: int = Field(default=50, gt=0, description="Actions executed before predicting again, at most.")
    max_state_dim: int = Field(default=64, gt=0, description="Width that states are filled up to.")
    max_action_dim: int = Field(default=32, gt=0, description="Width that actions are filled up to.")
    normalization_mapping: Annotated[dict[FeatureType, NormalizationMode], NoEffect()] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.MEAN_STD,
            FeatureType.ACTION: NormalizationMode.MEAN_STD,
        },
        description="Accepted; states and actions are scaled by their extremes.",
    )
    image_size: Annotated[tuple[int, int], NoEffect()] = Field(
        default=(224, 224), description="Accepted; the files of tokenizer_assets_repo say it."
    )

    base_model_path: PathText = Field(
        default=GROOT_N15_3B,
        description="Folder or Hub repository of NVIDIA's layout: sizes, and the weights a new policy starts from.",
    )
    load_base_weights: bool = Field(
        default=True,
        exclude_if=lambda value: value is True,
        description="A new policy starts from the weights of base_model_path; false: at random.",
    )
    network: GrootN15Size | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Other sizes; null: those of the files."
    )
    tokenizer_assets_repo: PathText = Field(
        default=EAGLE_ASSETS, description="Hub repository or folder with tokenizer, template and sizes of Eagle."
    )
    embodiment_tag: str = Field(default="new_embodiment", description="Kind of robot, which has weights of its own.")
    tune_llm: bool = Field(default=False, description="Learn the language model.")
    tune_visual: bool = Field(default=False, description="Learn the transformer for images and the connector.")
    tune_projector: bool = Field(default=True, description="Learn what encodes and decodes states and actions.")
    tune_diffusion_model: bool = Field(default=True, description="Learn the blocks that carry noise to actions.")
    lora_rank: Annotated[int, NoEffect()] = Field(default=0, description="Accepted; an adapter is --peft.r.")
    lora_alpha: Annotated[int, NoEffect()] = Field(default=16, description="Accepted; see lora_rank.")
    lora_dropout: Annotated[float, NoEffect()] = Field(default=0.1, description="Accepted; see lora_rank.")
    lora_full_model: Annotated[bool, NoEffect()] = Field(default=False, description="Accepted; see lora_rank.")

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.95, 0.999), description="Decays of AdamW's two averages.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to AdamW's denominators.")
    optimizer_weight_decay: float = Field(default=1e-5, ge=0, description="Weight decay.")
    warmup_ratio: float = Field(default=0.05, ge=0, le=1, description="Share of the run that the rate rises for.")
    use_bf16: bool = Field(default=True, description="Compute in bfloat16; weights stay as they are.")

    video_backend: Annotated[str, NoEffect()] = Field(default="decord", description="Accepted: NVIDIA's runner.")
    balance_dataset_weights: Annotated[bool, NoEffect()] = Field(default=True, description="Accepted: the runner.")
    balance_trajectory_weights: Annotated[bool, NoEffect()] = Field(default=True, description="Accepted: the runner.")
    dataset_paths: Annotated[list[str] | None, NoEffect()] = Field(default=None, description="Accepted: the runner.")
    output_dir: Annotated[str, NoEffect()] = Field(default="./tmp/gr00t", description="Accepted: the runner.")
    save_steps: Annotated[int, NoEffect()] = Field(default=1000, description="Accepted: the runner.")
    max_steps: Annotated[int, NoEffect()] = Field(default=_RUN, description="Accepted: the runner.")
    batch_size: Annotated[int, NoEffect()] = Field(default=32, description="Accepted: the runner.")
    dataloader_num_workers: Annotated[int, NoEffect()] = Field(default=8, description="Accepted: the runner.")
    report_to: Annotated[str, NoEffect()] = Field(default="wandb", description="Accepted: the runner.")
    resume: Annotated[bool, NoEffect()] = Field(default=False, description="Accepted: the runner.")

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        check_steps(self.n_obs_steps, self.n_action_steps, self.chunk_size)
        return self

    @property
    def size(self) -> GrootN15Size:
        """Sizes of the networks, read from folders or the Hub if nothing else says them.

        Raises:
            CheckpointError: nobody knows them.
        """
        from lerobot.groot.published import size_of  # asks the Hub, which only who builds a network pays for

        if self.network is not None:
            return self.network
        base, assets = self.base_model_path, self.tokenizer_assets_repo
        return size_of(base, assets, states=self.max_state_dim, actions=self.max_action_dim)

    @property
    def vocabulary(self) -> int:
        """Tokens of the language model."""
        return self.size.eagle.text.vocabulary

    @property
    def norm_map(self) -> dict[FeatureType, NormalizationMode]:
        """See `PreTrainedConfig.norm_map`: whatever the files say, the steps scale by extremes."""
        return {FeatureType.STATE: NormalizationMode.MIN_MAX, FeatureType.ACTION: NormalizationMode.MIN_MAX}

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return min(self.n_action_steps, self.size.head.horizon)

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.size.head.horizon)

    def with_sizes(self) -> Self:
        """Write sizes down that no name stands for, so that a checkpoint needs no other folder."""
        size = self.size
        return self if size == PUBLISHED else self.model_copy(update={"network": size})

    def scaling_overrides(self, stats: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """See `PreTrainedConfig.scaling_overrides`."""
        before, behind = self.scaled_by
        return {before: {"stats": stats}}, {behind: {"stats": stats}}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        check_widths(self)
        if self.chunk_size < (horizon := self.size.head.horizon):
            raise FeatureMismatchError(
                f"chunk_size is {self.chunk_size}, and the network predicts {horizon} actions",
                keys=[ACTION],
                expected=f"a chunk_size of at least {horizon}; n_action_steps says how many are executed",
            )

    def optimizer_preset(self) -> Mapping[str, Any]:
        """AdamW."""
        return {
            "type": "adamw",
            "lr": self.optimizer_lr,
            "betas": list(self.optimizer_betas),
            "eps": self.optimizer_eps,
            "weight_decay": self.optimizer_weight_decay,
        }

    def scheduler_preset(self) -> Mapping[str, Any]:
        """Warm-up, then a cosine down to a tenth."""
        return {
            "type": "cosine_decay_with_warmup",
            "num_warmup_steps": int(_RUN * self.warmup_ratio),
            "num_decay_steps": _RUN,
            "peak_lr": self.optimizer_lr,
            "decay_lr": self.optimizer_lr * 0.1,
        }


class EarlierGrootConfig(GrootN15Config):
    """GR00T N1.5 as huggingface/lerobot 0.4 and 0.5 call it, which read what is saved under this name.

    Today `groot` is N1.7, whose configuration finds this one for files of then.
    """

    type: str = "groot"

    def with_sizes(self) -> Self:
        """See `GrootN15Config.with_sizes`; those releases refuse the field, and look into the folders again."""
        return self


def check_steps(observations: int, executed: int, predicted: int) -> None:
    """Refuse numbers of steps that GR00T does not have.

    Args:
        observations: `n_obs_steps`.
        executed: `n_action_steps`.
        predicted: `chunk_size`.

    Raises:
        PydanticCustomError: it looks at more than one observation, or more is executed than predicted.
    """
    if observations != 1:
        raise PydanticCustomError("groot_observations", "n_obs_steps = 1: one observation is looked at")
    if executed > predicted:
        raise PydanticCustomError(
            "groot_steps", "n_action_steps of at most the chunk_size, {size}", {"size": predicted}
        )


def check_widths(config: PreTrainedConfig) -> None:
    """Refuse features that GR00T does not take.

    Args:
        config: with `max_state_dim` and `max_action_dim`.

    Raises:
        FeatureMismatchError: a camera, the state or the action is not there, or wider than that.
    """
    state, action = config.robot_state_feature, config.action_feature
    if state is None or action is None or not config.image_features:
        raise FeatureMismatchError(
            f"policy {config.type!r} has the inputs {', '.join(config.input_features)} and the outputs "
            f"{', '.join(config.output_features)}",
            keys=list(config.input_features),
            expected="at least one camera and observation.state as inputs, 'action' as output",
        )
    for key, found, field in (
        (OBSERVATION_STATE, state.shape[0], "max_state_dim"),
        (ACTION, action.shape[0], "max_action_dim"),
    ):
        if found > (widest := getattr(config, field)):
            raise FeatureMismatchError(
                f"{key} has {found} numbers, and policy {config.type!r} takes {widest}",
                keys=[key],
                expected=f"at most {widest}, or a new policy with --policy.{field}={found}",
            )
