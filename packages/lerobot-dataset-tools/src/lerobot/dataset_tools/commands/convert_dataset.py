"""Configuration of `lerobot convert-dataset`."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

from pydantic import Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CommandConfig
from lerobot.dataset_tools.commands.shards import EXECUTOR, SHARD_MEGABYTES, SHARD_SIZE
from lerobot.dataset_tools.formats.config import SourceConfig
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig
from lerobot.jobs.config import ExecutorConfig

_OF_IMPORTS = frozenset(
    {
        "fps",
        "task",
        "map",
        "skip_episodes",
        "video",
        "float_type",
        "robot_type",
        "rgb_encoder",
        "depth_encoder",
        "executor",
        "shard_size_in_mb",
    }
)


class _ConvertDataset(CommandConfig):
    target: ClassVar[str] = "lerobot.dataset_tools.conversion.command:convert_dataset_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot convert-dataset --repo_id=me/cubes",
        "lerobot convert-dataset --root=old/cubes --new_root=new/cubes",
        "lerobot convert-dataset --from=robomimic --from.path=lift/image.hdf5 --repo_id=me/lift --task='Lift the cube'",
    )

    repo_id: str | None = Field(
        default=None, description="Name of the dataset, 'owner/name'; of the result with --from."
    )
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    new_root: Path | None = Field(default=None, description="Folder of the result, if it is a new dataset.")
    data_file_size_in_mb: int | None = Field(default=None, gt=0, description="Size of data files; 100 if unset.")
    video_file_size_in_mb: int | None = Field(default=None, gt=0, description="Size of video files; 200 if unset.")
    fps: float | None = Field(
        default=None, gt=0, description="With --from: frames per second, if the source is silent."
    )
    task: str | None = Field(default=None, description="With --from: instruction of all episodes.")
    map: dict[str, str | None] = Field(
        default_factory=dict,
        description="With --from: feature by field of the source, such as '{obs/eef_pos: observation.state}'; 'task' "
        "for the instruction, null to leave one out. Fields of one feature are joined, those named here first.",
    )
    skip_episodes: list[int] = Field(default_factory=list, description="With --from: episodes to leave out, from 0.")
    video: bool = Field(default=True, description="With --from: store images as video; false stores single images.")
    float_type: Literal["float32", "source"] = Field(
        default="float32", description="With --from: store numbers as float32, or as the source has them."
    )
    robot_type: str | None = Field(default=None, description="With --from: name of the robot, for the record.")
    rgb_encoder: RGBEncoderConfig = Field(
        default_factory=RGBEncoderConfig, description="Encoder of colour cameras, with --from."
    )
    depth_encoder: DepthEncoderConfig = Field(
        default_factory=DepthEncoderConfig, description="Encoder of depth cameras, with --from."
    )

    executor: ExecutorConfig | None = Field(default=None, description=EXECUTOR)
    shard_size_in_mb: float = Field(default=SHARD_MEGABYTES, gt=0, description=SHARD_SIZE)

    @model_validator(mode="after")
    def _flags_of_an_import_come_with_one(self) -> Self:
        if self.source is None and (given := sorted(self.model_fields_set & _OF_IMPORTS)):
            raise PydanticCustomError("needs_from", "--from as well: --{flag} is about imports", {"flag": given[0]})
        return self

    @property
    def source(self) -> SourceConfig | None:
        """What is imported; None converts a LeRobotDataset."""
        return cast("SourceConfig | None", getattr(self, "from"))


if TYPE_CHECKING:
    ConvertDatasetConfig = _ConvertDataset
else:
    # A word of Python cannot name a field in a class body, and --from is what the flag should be called.
    ConvertDatasetConfig = create_model(
        "ConvertDatasetConfig",
        __base__=_ConvertDataset,
        __module__=__name__,
        __doc__="""Convert a v2.0 or v2.1 dataset to v3.0 files, or import another format.

    Reading v2.x needs no conversion. Without --new_root the result takes the dataset's place, and the original stays
    beside it as <name>_old. With --from the result is a new dataset; the same command goes on where it was cut off.
    """,
        **{"from": (SourceConfig | None, Field(default=None, description="Other format to import."))},
    )
