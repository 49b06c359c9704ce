"""`lerobot plugins`: what is installed, what is known, what is wrong with it, and adding one."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config import CommandConfig, Positional


class PluginsConfig(CommandConfig):
    """List plugins, installed and known, explain one, or add one."""

    target: ClassVar[str] = "lerobot.core.inspection.command:plugins"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot plugins list",
        "lerobot plugins list robot --format=json",
        "lerobot plugins info robot fake",
        "lerobot plugins add so101_follower",
        "lerobot plugins add lerobot-robot-dummy",
    )

    action: Annotated[Literal["list", "info", "add"], Positional()] = Field(
        default="list", description="List plugins, explain one, or add one to this environment."
    )
    kind: Annotated[str | None, Positional()] = Field(
        default=None,
        description="Kind of plugin: robot, teleoperator, camera, policy, env, processor, command, ... "
        "After add it can be left out.",
    )
    name: Annotated[str | None, Positional()] = Field(
        default=None,
        description="Registered name; after add also a package, a bundle, or the path of a wheel or project.",
    )
    format: Literal["table", "json"] = Field(default="table", description="How the list is written.")
    known: bool = Field(default=False, description="List plugins of packages that are not installed as well.")
    source: Path | None = Field(
        default=None,
        description="For add: checkout of this project, or folder of its wheels; without it, where lerobot-core came "
        "from.",
    )
    dry_run: bool = Field(default=False, description="For add: say what would be installed, and stop.")

    @model_validator(mode="after")
    def _info_names_one(self) -> Self:
        if self.action == "info" and (self.kind is None or self.name is None):
            raise ValueError("KIND and NAME after info, as in: lerobot plugins info robot fake")
        if self.action == "add" and self.kind is None:
            raise ValueError("NAME after add, as in: lerobot plugins add so101_follower")
        return self
