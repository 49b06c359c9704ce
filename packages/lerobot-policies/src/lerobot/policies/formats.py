"""Configurations of the files that policies are exported to: the plugins of `lerobot.export_formats`."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PluginConfig


class ExportFormatConfig(PluginConfig):
    """Choice of a kind of file; `target` of one names an `ExportFormat`.

    The file is called `policy.<type>`.
    """

    kind: ClassVar[str] = "export_format"


class OnnxConfig(ExportFormatConfig):
    """For ONNX Runtime, without torch."""

    target = "lerobot.policies.export.onnx:OnnxFormat"

    type: str = "onnx"
    opset: int | None = Field(default=None, ge=18, description="Version of ONNX's operators; null: torch's choice.")


class TorchExportConfig(ExportFormatConfig):
    """For torch.export.load, without this software."""

    target = "lerobot.policies.export.torch_export:TorchExportFormat"

    type: str = "pt2"
