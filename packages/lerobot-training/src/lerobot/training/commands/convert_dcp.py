"""Configuration of `lerobot convert-dcp`."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CommandConfig


class ConvertDcpConfig(CommandConfig):
    """Make an ordinary policy of a checkpoint that the processes of a training wrote together.

    Such are those of lerobot train --checkpoint_format=dcp.
    """

    target: ClassVar[str] = "lerobot.training.conversion.command:convert_dcp"
    preflight: ClassVar[str] = "lerobot.training.refusal:refuse_conversion"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot convert-dcp --checkpoint_dir=outputs/train/act/checkpoints/last",
        "lerobot convert-dcp --checkpoint_dir=outputs/train/act/checkpoints/last --output_dir=outputs/act",
    )

    checkpoint_dir: Path = Field(description="Checkpoint of a run, or a policy's folder in it.")
    output_dir: Path | None = Field(default=None, description="Folder of the policy to write; default: where it is.")
    delete_dcp: bool = Field(default=False, description="Remove the parts once the whole is on the disk.")

    @model_validator(mode="after")
    def _removes_what_it_replaces(self) -> Self:
        if self.delete_dcp and self.output_dir is not None:
            raise PydanticCustomError(
                "delete_dcp", "delete_dcp without output_dir: the copy does not replace the parts"
            )
        return self
