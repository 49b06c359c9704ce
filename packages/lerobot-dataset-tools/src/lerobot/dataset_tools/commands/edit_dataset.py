"""Configuration of `lerobot edit-dataset`: one operation on one dataset, chosen by `--operation.type`."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig, ConfigModel, NoEffect
from lerobot.core.config.judges import RewardModelConfig, SuccessDetectorConfig
from lerobot.dataset_tools.commands.shards import EXECUTOR, SHARD_MEGABYTES, SHARD_SIZE
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig
from lerobot.jobs.config import ExecutorConfig

_PARTS = ("train", "val", "test")

NO_EFFECT = "Accepted so that known command lines work; has no effect here."


class DeleteEpisodesConfig(ConfigModel):
    """Leave episodes out; the others are numbered anew and keep every value and image."""

    type: Literal["delete_episodes"] = "delete_episodes"
    episode_indices: list[int] = Field(default_factory=list, description="Numbers of the episodes to delete.")
    where: list[str] | str = Field(
        default_factory=list,
        description="Conditions that those to delete meet, all of them, such as 'outcome == failure', 'length < 30' or "
        "'max(observation.effort[gripper.pos]) > 2'.",
    )


class SplitConfig(ConfigModel):
    """Write parts of a dataset as datasets of their own."""

    type: Literal["split"] = "split"
    splits: dict[str, float | list[int]] = Field(
        description="Per name a share of the episodes, taken in order, or episode numbers."
    )


class MergeConfig(ConfigModel):
    """Write several datasets one after another into a new one, named by --new_repo_id."""

    type: Literal["merge"] = "merge"
    repo_ids: list[str] | None = Field(default=None, description="Names of the datasets, in order.")
    roots: list[Path] | None = Field(default=None, description="Their folders; default: under $HF_LEROBOT_HOME.")
    concatenate_videos: bool = Field(default=True, description="Join small video files, without decoding them.")
    concatenate_data: bool = Field(default=True, description="Join small data files.")


class RemoveFeatureConfig(ConfigModel):
    """Leave columns or cameras out."""

    type: Literal["remove_feature"] = "remove_feature"
    feature_names: list[str] = Field(description="Names of the features to remove.")


class AddFeatureConfig(ConfigModel):
    """Add a column of numbers or texts, with its statistics."""

    type: Literal["add_feature"] = "add_feature"
    name: str = Field(description="Name of the feature.")
    dtype: str = Field(default="float32", description="Type of its values: float32, int64, bool, string, ...")
    shape: list[int] = Field(default_factory=lambda: [1], description="Shape of the value of one frame.")
    names: list[str] | None = Field(default=None, description="Names of its elements.")
    value: Any = Field(default=None, description="Value of every frame; zero, or an empty text, if unset.")
    values: Path | None = Field(
        default=None, description="An .npy file with the value of each frame, of shape (frames, *shape)."
    )


class LabelSuccessConfig(ConfigModel):
    """Add next.success for every frame, as a reward model (with next.reward) or a detector says."""

    type: Literal["label_success"] = "label_success"
    reward_model: RewardModelConfig | None = Field(default=None, description="Reward model, such as a classifier.")
    detector: SuccessDetectorConfig | None = Field(default=None, description="Detector, in place of a reward model.")

    @model_validator(mode="after")
    def _one_judge(self) -> Self:
        if (self.reward_model is None) == (self.detector is None):
            raise ValueError("--operation.reward_model.type or --operation.detector.type, one of the two")
        return self


class RenameFeatureConfig(ConfigModel):
    """Give columns or cameras other names."""

    type: Literal["rename_feature"] = "rename_feature"
    names: dict[str, str] = Field(description="Per name the new one.")


class TrimConfig(ConfigModel):
    """Cut the begin and the end of episodes off."""

    type: Literal["trim"] = "trim"
    start_s: float = Field(default=0.0, ge=0, description="Seconds to cut off at the begin.")
    end_s: float = Field(default=0.0, ge=0, description="Seconds to cut off at the end.")
    episode_indices: list[int] | None = Field(default=None, description="Episodes to trim; all if unset.")


class ModifyTasksConfig(ConfigModel):
    """Give episodes other instructions."""

    type: Literal["modify_tasks"] = "modify_tasks"
    new_task: str | None = Field(default=None, description="Instruction of everything the other two do not name.")
    episode_tasks: dict[int, str] | None = Field(default=None, description="Instruction by episode number.")
    task_replacements: dict[str, str] | None = Field(default=None, description="Instruction by present instruction.")


class SetOutcomeConfig(ConfigModel):
    """Say how episodes ended, in the column `outcome`, which is made if there is none."""

    type: Literal["set_outcome"] = "set_outcome"
    outcome: Literal["success", "failure", "unknown"] = Field(description="How they ended.")
    episode_indices: list[int] | None = Field(default=None, description="Numbers of the episodes; all if unset.")


class _EncodingConfig(ConfigModel):
    rgb_encoder: RGBEncoderConfig = Field(default_factory=RGBEncoderConfig, description="Encoder of colour cameras.")
    depth_encoder: DepthEncoderConfig = Field(
        default_factory=DepthEncoderConfig, description="Encoder of depth cameras."
    )
    num_workers: Annotated[int, NoEffect()] = Field(default=0, ge=0, description=NO_EFFECT)
    encoder_threads: int | None = Field(default=None, ge=1, description="Threads of the encoder; one if unset.")


class ConvertImageToVideoConfig(_EncodingConfig):
    """Write a dataset whose cameras are all stored as video."""

    type: Literal["convert_image_to_video"] = "convert_image_to_video"
    output_dir: Path | None = Field(default=None, description="Folder of the result; the same as --new_root.")
    episode_indices: list[int] | None = Field(default=None, description="Episodes to convert; all if unset.")
    max_episodes_per_batch: Annotated[int | None, NoEffect()] = Field(default=None, ge=1, description=NO_EFFECT)
    max_frames_per_batch: Annotated[int | None, NoEffect()] = Field(default=None, ge=1, description=NO_EFFECT)


class ReencodeVideosConfig(_EncodingConfig):
    """Encode all videos anew, such as for less room."""

    type: Literal["reencode_videos"] = "reencode_videos"
    overwrite: bool = Field(default=False, description="Replace the dataset, instead of writing <name>_reencoded.")


class RecomputeStatsConfig(ConfigModel):
    """Compute the statistics anew from the values."""

    type: Literal["recompute_stats"] = "recompute_stats"
    skip_image_video: bool = Field(default=True, description="Keep the statistics of images, decoding none.")
    relative_action: bool = Field(
        default=False, description="Statistics of actions relative to the state at the begin of their chunk."
    )
    relative_exclude_joints: list[str] | None = Field(
        default=None, description="Joints that stay absolute, by a part of their name; 'gripper' if unset."
    )
    chunk_size: int = Field(default=50, ge=1, description="Actions in a chunk.")
    num_workers: Annotated[int, NoEffect()] = Field(default=0, ge=0, description=NO_EFFECT)
    overwrite: bool = Field(default=False, description="Replace the dataset, instead of writing a copy.")


class RepairConfig(ConfigModel):
    """Write metadata anew that contradicts the files: totals, splits, paths, ends of episodes and codecs of videos."""

    type: Literal["repair"] = "repair"


class InfoConfig(ConfigModel):
    """Say what the dataset is."""

    type: Literal["info"] = "info"
    show_features: bool = Field(default=False, description="List the features.")


class UndoConfig(ConfigModel):
    """Take back the last edit in place; done again, it brings the edit back."""

    type: Literal["undo"] = "undo"


Operation = (
    DeleteEpisodesConfig
    | SplitConfig
    | MergeConfig
    | AddFeatureConfig
    | RemoveFeatureConfig
    | LabelSuccessConfig
    | RenameFeatureConfig
    | TrimConfig
    | ModifyTasksConfig
    | SetOutcomeConfig
    | ConvertImageToVideoConfig
    | ReencodeVideosConfig
    | RecomputeStatsConfig
    | RepairConfig
    | InfoConfig
    | UndoConfig
)

IN_SHARDS = (
    "add_feature",
    "convert_image_to_video",
    "delete_episodes",
    "merge",
    "recompute_stats",
    "remove_feature",
    "rename_feature",
    "reencode_videos",
    "trim",
)
"""Operations that an engine can do in shards; the others only copy files and metadata, or need one model for all."""

_NAMES = [each.model_fields["type"].default for each in get_args(Operation)]


class EditDatasetConfig(CommandConfig):
    """Split, merge, trim, delete from, add to or repair a dataset.

    Without --new_repo_id or --new_root the result takes the dataset's place, and the original stays beside it as
    <name>_old; --operation.type=undo swaps them back.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.edit.command:edit_dataset"
    examples: ClassVar[tuple[str, ...]] = (
        'lerobot edit-dataset --repo_id=me/cubes --operation.type=delete_episodes --operation.episode_indices="[0, 2]"',
        "lerobot edit-dataset --repo_id=me/cubes --operation.type=delete_episodes "
        '--operation.where="outcome == failure"',
        "lerobot edit-dataset --repo_id=me/cubes --operation.type=label_success --operation.detector.type=threshold "
        "--operation.detector.feature=gripper.pos --operation.detector.above=12",
        'lerobot edit-dataset --repo_id=me/cubes --split="[0.8, 0.1, 0.1]"',
        "lerobot edit-dataset --repo_id=me/cubes --operation.type=undo",
    )

    operation: Operation | None = Field(default=None, description="What to do.", discriminator="type")
    split: list[float] | dict[str, float | list[int]] | None = Field(
        default=None,
        description="In place of an operation: shares of the parts train, val and test, in this order, or "
        "--operation.splits by other names.",
    )
    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    new_repo_id: str | None = Field(default=None, description="Name of the result, if it is a new dataset.")
    new_root: Path | None = Field(default=None, description="Folder of the result, if it is a new dataset.")
    push_to_hub: bool = Field(default=False, description="Upload the result to the Hugging Face Hub.")
    executor: ExecutorConfig | None = Field(default=None, description=EXECUTOR)
    shard_size_in_mb: float = Field(default=SHARD_MEGABYTES, gt=0, description=SHARD_SIZE)

    @model_validator(mode="before")
    @classmethod
    def _split_is_an_operation(cls, value: Any) -> Any:
        split = value.get("split") if isinstance(value, dict) else None
        if split is None or value.get("operation") is not None:
            return value
        splits = dict(zip(_PARTS, split, strict=False)) if isinstance(split, list) else split
        return {**value, "operation": {"type": "split", "splits": splits}}

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.operation is None:
            raise ValueError(f"--operation.type: {', '.join(_NAMES)}; or --split")
        if self.split is not None and not isinstance(self.operation, SplitConfig):
            raise ValueError("--split or --operation.type, not both")
        if isinstance(self.split, list) and not 0 < len(self.split) <= len(_PARTS):
            raise ValueError(f"--split with the shares of {', '.join(_PARTS)}, such as [0.8, 0.1, 0.1]")
        if self.executor is not None and self.operation.type not in IN_SHARDS:
            names = ", ".join(IN_SHARDS)
            raise ValueError(
                f"--executor with an operation that is done in shards, which {self.operation.type} is not: {names}"
            )
        return self
