"""Configuration of an exported policy. Light: it imports no array library."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PolicyConfig

_FILE = re.compile(r"[\w.-]+\.onnx")


class ExportedPolicyConfig(PolicyConfig):
    """A policy that `lerobot export` wrote to a folder: `--policy.path=FOLDER`."""

    target: ClassVar[str] = "lerobot.runtime.policy:ExportedPolicy"

    type: str = "exported"
    folder: Path = Field(description="Folder with policy.json and the ONNX file; also --policy.path.")
    file: str = Field(default="policy.onnx", description="Which ONNX file of the folder: policy.int8.onnx.")
    n_action_steps: int | None = Field(
        default=None, ge=1, description="Actions executed per chunk; null: as the policy was exported."
    )
    temporal_ensemble_coeff: float | None = Field(
        default=None,
        description="Predict at every step and average overlapping chunks with this coefficient; null: as the policy "
        "was exported.",
    )
    threads: int | None = Field(
        default=None, ge=1, description="Threads that compute; null: ONNX Runtime's choice, one per core."
    )
    providers: tuple[str, ...] = Field(
        default=("CPUExecutionProvider",),
        min_length=1,
        description="What computes, the first that can: [TensorrtExecutionProvider, CUDAExecutionProvider, "
        "CPUExecutionProvider].",
    )
    seed: int | None = Field(
        default=None, ge=0, description="Of the noise that some policies start from; null: another one every time."
    )

    @property
    def origin(self) -> str:
        """See `PolicyConfig.origin`."""
        return str(self.folder)

    @field_validator("file")
    @classmethod
    def _is_beside_its_description(cls, file: str) -> str:
        if not _FILE.fullmatch(file):
            raise PydanticCustomError("export_file", "the name of an ONNX file of the folder, such as policy.onnx")
        return file

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        if self.temporal_ensemble_coeff is not None and (self.n_action_steps or 1) != 1:
            raise PydanticCustomError(
                "export_ensemble", "n_action_steps = 1 with temporal_ensemble_coeff, which predicts at every step"
            )
        return self


def exported_fields(path: str, _given: Mapping[str, str]) -> dict[str, Any]:
    """What `--policy.path` stands for, where it names an export."""
    return {"type": "exported", "folder": path}
