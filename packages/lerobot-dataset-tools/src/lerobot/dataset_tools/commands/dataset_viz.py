"""Configuration of `lerobot dataset-viz`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.commands.earlier_flags import OFFLINE
from lerobot.core.config.base import CommandConfig, NoEffect

NO_EFFECT = "Accepted so that known command lines work; has no effect here."


class DatasetVizConfig(CommandConfig):
    """Look at an episode of a dataset in the Rerun viewer, or save it as a film or an .rrd file.

    All but the film need the viewer, which the extra `viz` of lerobot-dataset-tools brings.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.viewer.command:dataset_viz"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot dataset-viz --repo_id=me/cubes --episode_index=0",
        "lerobot dataset-viz --repo_id=me/cubes --episode_index=0 --film=episode.mp4",
        "lerobot dataset-viz --repo_id=me/cubes --episode_index=0 --save=1 --output_dir=out",
    )
    refused_flags: ClassVar[Mapping[str, str]] = OFFLINE

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    episode_index: int = Field(ge=0, description="Number of the episode, from 0.")
    root: Path | None = Field(default=None, description="Folder of the dataset; default: under $HF_LEROBOT_HOME.")
    film: Path | None = Field(
        default=None, description="Write a film of the episode, an .mp4 file, instead of opening a viewer."
    )
    output_dir: Path | None = Field(default=None, description="Folder of the .rrd file of --save=1.")
    save: bool = Field(default=False, description="Write an .rrd file instead of opening a viewer.")
    mode: Literal["local", "distant"] = Field(
        default="local", description="Open a viewer here, or serve the episode to a viewer elsewhere."
    )
    grpc_port: int = Field(default=9876, gt=0, lt=65536, description="Port that --mode=distant serves on.")
    web_port: int | None = Field(
        default=None, gt=0, lt=65536, description="Port of the web viewer of --mode=distant; 9090 if unset."
    )
    batch_size: int = Field(default=32, ge=1, description="Frames decoded at a time.")
    num_workers: Annotated[int, NoEffect()] = Field(default=4, ge=0, description=NO_EFFECT)
    tolerance_s: float = Field(default=1e-4, gt=0, description="Largest distance of an image from its row, seconds.")
    display_mode: Literal["rerun"] = Field(default="rerun", description="Viewer: rerun.")
    display_compressed_images: bool = Field(default=False, description="Show images as JPEG, which is smaller.")
