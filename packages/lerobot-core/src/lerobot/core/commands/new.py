"""Configuration of `lerobot new`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig, Positional


class NewConfig(CommandConfig):
    """Write a new plugin package from a template: it installs, runs and passes its tests as it is."""

    target: ClassVar[str] = "lerobot.core.new_plugin:new_plugin"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot new robot my-arm",
        "lerobot new policy my-policy --license=MIT --author='Ada Lovelace'",
    )

    plugin: Annotated[Literal["robot", "teleoperator", "camera", "policy", "env", "processor"], Positional()] = Field(
        description="Kind of plugin."
    )
    name: Annotated[str, Positional()] = Field(description="Name of the plugin, such as my-arm.")
    output_dir: Path = Field(default=Path(), description="Where the folder lerobot-<name> is made.")
    author: str = Field(default="The authors", description="Who holds the copyright.")
    license: Literal["Apache-2.0", "MIT", "BSD-3-Clause"] = Field(default="Apache-2.0", description="Licence.")
