"""Configuration of `lerobot export`."""

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from lerobot.core.config.base import CommandConfig, RobotConfig
from lerobot.core.config.policies import require_trained
from lerobot.policies.commands.check import DatasetSource
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.formats import ExportFormatConfig


class ExportConfig(CommandConfig):
    """Export a trained policy, with its processors inside, to files that run without this software.

    The files take what a robot gives (joint positions in its units, images as bytes) and give the next actions in the
    robot's units. Each is compared with the policy before it is kept, and its size and time are reported.
    """

    target: ClassVar[str] = "lerobot.policies.export.command:export_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot export --policy.path=outputs/train/act/checkpoints/last --dataset.repo_id=me/pick_cube",
        "lerobot export --policy.path=me/act_pick_cube --robot.type=so101_follower --robot.port=/dev/ttyACM0 "
        "--robot.cameras='{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}' --fps=30 "
        "--formats='[onnx]'",
    )

    policy: PreTrainedConfig = Field(description="Trained policy: --policy.path=FOLDER or a Hub repository.")
    formats: tuple[ExportFormatConfig, ...] = Field(
        default=("onnx", "pt2"),
        validate_default=True,
        min_length=1,
        description="Kinds of files, by name or with their options: [onnx, onnx_int8] or [{type: onnx, opset: 18}].",
    )
    output_dir: Path | None = Field(
        default=None, description="Folder of the files; default: outputs/export/<date>/<time>_<policy>."
    )
    task: str | None = Field(
        default=None, description="What a policy that reads its task is told; its files are for this task alone."
    )
    max_error: float | None = Field(
        default=None,
        gt=0,
        description="Largest error of any number of an action, in the robot's units, with which a file of less than "
        "float32 is kept; null: what its kind allows. A file in float32 never differs by more than 1e-4 of the "
        "largest action.",
    )
    dataset: DatasetSource | None = Field(
        default=None, description="Dataset that names the joints and gives the rate; needed unless --robot is given."
    )
    robot: RobotConfig | None = Field(
        default=None,
        description="Robot that names the joints and their units, with --fps; needed unless --dataset is given. It is "
        "not connected.",
    )
    fps: float | None = Field(default=None, gt=0, description="Actions per second, Hz; null: the dataset's.")

    @field_validator("formats", mode="before")
    @classmethod
    def _names_are_types(cls, formats: Any) -> Any:
        if not isinstance(formats, list | tuple):
            return formats
        return [{"type": each} if isinstance(each, str) else each for each in formats]

    @model_validator(mode="after")
    def _policy_is_trained(self) -> Self:
        require_trained(self.policy)
        return self
