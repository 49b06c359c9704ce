"""Flags of every command that can show its run live."""

from pydantic import Field

from lerobot.core.config.base import ConfigModel


class DisplayOptions(ConfigModel):
    """Whether, where and how a run is shown; a command's configuration inherits these fields."""

    display_data: bool = Field(default=False, description="Show cameras, joints and commands live.")
    display_mode: str = Field(default="rerun", description="Viewer of --display_data: rerun.")
    display_ip: str | None = Field(default=None, description="Address of a running viewer; needs --display_port too.")
    display_port: int | None = Field(default=None, gt=0, lt=65536, description="Port of a running viewer.")
    display_compressed_images: bool = Field(
        default=False, description="Send pictures to the viewer as JPEG; always so for a viewer elsewhere."
    )
