"""What a person decides about an import."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from lerobot.datasets.format import layout
from lerobot.datasets.writer.options import WritingOptions


class ImportChoices(BaseModel):
    """Arguments of `import_dataset`, which says what each is, in a form that can be written into a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fps: float | None = None
    task: str | None = None
    overrides: dict[str, str | None] = {}
    skip_episodes: list[int] = []
    video: bool = True
    float_type: Literal["float32", "source"] = "float32"
    robot_type: str | None = None
    options: WritingOptions = WritingOptions()
    data_files_size_in_mb: int = layout.DEFAULT_DATA_FILES_SIZE_IN_MB
    video_files_size_in_mb: int = layout.DEFAULT_VIDEO_FILES_SIZE_IN_MB
