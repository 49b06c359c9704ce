"""Configuration of files of OpenVINO. Light: it imports no array library."""

from typing import Literal

from pydantic import Field

from lerobot.policies.formats import TypedFormatConfig


class OpenVinoConfig(TypedFormatConfig):
    """For OpenVINO, on CPUs and graphics of Intel and on ARM, without torch."""

    target = "lerobot.openvino.format:OpenVinoFormat"
    ending = "xml"

    type: str = "openvino"
    dtype: Literal["float32", "float16"] = Field(
        default="float32", description="What weights are kept in; what is computed in, the device decides."
    )
