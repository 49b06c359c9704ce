"""`lerobot plugins`: what is installed, what is known, and what is wrong with it."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config import CommandConfig, Positional


class PluginsConfig(CommandConfig):
    """List plugins, installed and known, or explain one."""

    target: ClassVar[str] = "lerobot.core.inspection.command:plugins"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot plugins list",
        "lerobot plugins list robot --format=json",
        "lerobot plugins info robot fake",
    )

    action: Annotated[Literal["list", "info"], Positional()] = Field(
        default="list", description="List plugins, or explain one."
    )
    kind: Annotated[str | None, Positional()] = Field(
        default=None, description="Kind of plugin: robot, teleoperator, camera, policy, env, processor, command, ..."
    )
    name: Annotated[str | None, Positional()] = Field(default=None, description="Registered name, for info.")
    format: Literal["table", "json"] = Field(default="table", description="How the list is written.")
    known: bool = Field(default=False, description="List plugins of packages that are not installed as well.")

    @model_validator(mode="after")
    def _info_names_one(self) -> Self:
        if self.action == "info" and (self.kind is None or self.name is None):
            raise ValueError("KIND and NAME after info, as in: lerobot plugins info robot fake")
        return self
