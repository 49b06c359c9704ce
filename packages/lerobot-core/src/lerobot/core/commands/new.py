"""Configuration of `lerobot new`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig, Positional


class NewConfig(CommandConfig):
    """Write a new plugin package from a template: it installs, runs and passes its tests as it is."""

    target: ClassVar[str] = "lerobot.core.template.command:new"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot new",
        "lerobot new robot my-arm",
        "lerobot new policy my-policy --license=MIT --author='Ada Lovelace'",
    )

    plugin: Annotated[str | None, Positional()] = Field(
        default=None, description="Kind of plugin: robot, teleoperator, camera, ...; none: list what there is."
    )
    name: Annotated[str | None, Positional()] = Field(default=None, description="Name of the plugin, such as my-arm.")
    output_dir: Path = Field(default=Path(), description="Where the folder lerobot-<name> is made.")
    author: str = Field(default="The authors", description="Who holds the copyright.")
    license: Literal["Apache-2.0", "MIT", "BSD-3-Clause"] = Field(default="Apache-2.0", description="Licence.")

    @model_validator(mode="after")
    def _a_kind_needs_a_name(self) -> Self:
        if self.plugin is not None and self.name is None:
            raise ValueError(f"NAME after {self.plugin}, as in: lerobot new {self.plugin} my-{self.plugin}")
        return self
