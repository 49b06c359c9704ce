"""Configurations of the files that policies are exported to: the plugins of `lerobot.export_formats`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import PluginConfig

Precision = Literal["float32", "float16", "bfloat16"]
"""What a policy computes in."""

TOLERANCE = 1e-4
"""Largest difference of a file in float32, as part of the largest action: actions may be in degrees."""

_TOLERANCES: Mapping[Precision, float] = {"float32": TOLERANCE, "float16": 0.02, "bfloat16": 0.05}
"""Half a dozen layers of rounding: 2^-11 and 2^-8 each."""


class ExportFormatConfig(PluginConfig):
    """Choice of a kind of file; `target` of one names an `ExportFormat`."""

    kind: ClassVar[str] = "export_format"

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return f"policy.{self.type}"

    @property
    def precision(self) -> Precision:
        """What the traced policy computes in."""
        return "float32"

    @property
    def tolerance(self) -> float:
        """Largest difference from the policy with which a file is kept, as part of the largest action."""
        return TOLERANCE

    @property
    def batches(self) -> tuple[int, int]:
        """How many observations at once a file is tried with; of a policy that takes any number."""
        return 1, 3

    @property
    def is_exact(self) -> bool:
        """Whether no file may differ more than by the rounding of float32, whatever is asked for."""
        return self.tolerance <= TOLERANCE


class TypedFormatConfig(ExportFormatConfig):
    """A kind of file whose numbers are of the type that is asked for."""

    ending: ClassVar[str]

    dtype: Precision = Field(default="float32", description="Type of the numbers.")

    @property
    def file_name(self) -> str:
        """See `ExportFormatConfig.file_name`."""
        return f"policy.{self.ending}" if self.dtype == "float32" else f"policy.{self.dtype}.{self.ending}"

    @property
    def tolerance(self) -> float:
        """See `ExportFormatConfig.tolerance`."""
        return _TOLERANCES[self.dtype]


class TracedFormatConfig(TypedFormatConfig):
    """A kind of file that holds the policy as it was traced, in the type that is asked for."""

    dtype: Precision = Field(
        default="float32", description="What the policy computes in; its processors always compute in float32."
    )

    @property
    def precision(self) -> Precision:
        """See `ExportFormatConfig.precision`."""
        return self.dtype


class OnnxConfig(TypedFormatConfig):
    """For ONNX Runtime, without torch."""

    target = "lerobot.policies.export.onnx:OnnxFormat"
    ending = "onnx"

    type: str = "onnx"
    dtype: Precision = Field(
        default="float32",
        description="What weights are kept in. ONNX Runtime computes in float32 on CPUs: others make files smaller, "
        "not faster.",
    )
    opset: int | None = Field(default=None, ge=18, description="Version of ONNX's operators; null: torch's choice.")


class TorchExportConfig(TracedFormatConfig):
    """For torch.export.load, without this software."""

    target = "lerobot.policies.export.torch_export:TorchExportFormat"
    ending = "pt2"

    type: str = "pt2"


class TorchScriptConfig(TracedFormatConfig):
    """For torch.jit.load and LibTorch, without this software."""

    target = "lerobot.policies.export.torchscript:TorchScriptFormat"
    ending = "torchscript"

    type: str = "torchscript"


class Int8Config(ExportFormatConfig):
    """Weights of layers in 8 bits; what flows between layers is rounded as it comes."""

    ending: ClassVar[str]

    only: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="Layers to round, as patterns of their names: [model.encoder.*]."
    )
    keep: tuple[str, ...] = Field(default=(), description="Layers of those that stay in float32: [*.action_head].")
    per_channel: bool = Field(default=True, description="A scale for each output of a layer, not one for all.")

    @property
    def file_name(self) -> str:
        """See `ExportFormatConfig.file_name`."""
        return f"policy.int8.{self.ending}"

    @property
    def tolerance(self) -> float:
        """See `ExportFormatConfig.tolerance`."""
        return 0.1


class OnnxInt8Config(Int8Config):
    """For ONNX Runtime, with the weights of layers in 8 bits."""

    target = "lerobot.policies.export.onnx_int8:OnnxInt8Format"
    ending = "onnx"

    type: str = "onnx_int8"
    kinds: tuple[Literal["linear", "convolution"], ...] = Field(
        default=("linear",),
        min_length=1,
        description="Kinds of layers to round; convolutions become smaller, and often slower.",
    )


class TorchInt8Config(Int8Config):
    """For torch.jit.load, with the weights of linear layers in 8 bits."""

    target = "lerobot.policies.export.torch_int8:TorchInt8Format"
    ending = "torchscript"

    type: str = "torch_int8"
