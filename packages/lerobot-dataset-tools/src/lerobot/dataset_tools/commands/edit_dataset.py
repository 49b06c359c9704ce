"""Configuration of `lerobot edit-dataset`: one operation on one dataset, chosen by `--operation.type`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig, ConfigModel, NoEffect
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig

NO_EFFECT = "Accepted so that known command lines work; has no effect here."


class DeleteEpisodesConfig(ConfigModel):
    """Leave episodes out; the others are numbered anew and keep every value and image."""

    type: Literal["delete_episodes"] = "delete_episodes"
    episode_indices: list[int] = Field(description="Numbers of the episodes to delete.")


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


class ModifyTasksConfig(ConfigModel):
    """Give episodes other instructions."""

    type: Literal["modify_tasks"] = "modify_tasks"
    new_task: str | None = Field(default=None, description="Instruction of everything the other two do not name.")
    episode_tasks: dict[int, str] | None = Field(default=None, description="Instruction by episode number.")
    task_replacements: dict[str, str] | None = Field(default=None, description="Instruction by present instruction.")


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
    | RemoveFeatureConfig
    | ModifyTasksConfig
    | ConvertImageToVideoConfig
    | ReencodeVideosConfig
    | RecomputeStatsConfig
    | RepairConfig
    | InfoConfig
    | UndoConfig
)


class EditDatasetConfig(CommandConfig):
    """Split, merge, delete from or repair a dataset.

    Without --new_repo_id or --new_root the result takes the dataset's place, and the original stays beside it as
    <name>_old; --operation.type=undo swaps them back.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.edit.command:edit_dataset"
    examples: ClassVar[tuple[str, ...]] = (
        'lerobot edit-dataset --repo_id=me/cubes --operation.type=delete_episodes --operation.episode_indices="[0, 2]"',
        'lerobot edit-dataset --repo_id=me/cubes --operation.type=split --operation.splits="{train: 0.8, val: 0.2}"',
        "lerobot edit-dataset --repo_id=me/cubes --operation.type=undo",
    )

    operation: Operation = Field(description="What to do.", discriminator="type")
    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    new_repo_id: str | None = Field(default=None, description="Name of the result, if it is a new dataset.")
    new_root: Path | None = Field(default=None, description="Folder of the result, if it is a new dataset.")
    push_to_hub: bool = Field(default=False, description="Upload the result to the Hugging Face Hub.")
