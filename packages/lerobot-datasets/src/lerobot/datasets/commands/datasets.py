"""Configuration of `lerobot datasets`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig, Positional


class DatasetsConfig(CommandConfig):
    """Search the LeRobot datasets on the Hugging Face Hub.

    Each line names one; `--dataset.repo_id=` of other commands takes the name. `HF_ENDPOINT` names another Hub.
    """

    target: ClassVar[str] = "lerobot.datasets.hub.command:datasets"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot datasets search",
        "lerobot datasets search cube --limit=5",
        "lerobot datasets search --author=lerobot --sort=created_at --format=json",
    )

    action: Annotated[Literal["search"], Positional()] = Field(default="search", description="What to do.")
    query: Annotated[str | None, Positional()] = Field(default=None, description="Part of the name; any if left out.")
    author: str | None = Field(default=None, description="Owner of the datasets; anybody if unset.")
    sort: Literal["downloads", "likes", "created_at", "last_modified", "trending_score"] = Field(
        default="downloads", description="What comes first: the most of it, or the newest."
    )
    limit: int = Field(default=20, ge=1, description="Most datasets to list.")
    format: Literal["table", "json"] = Field(default="table", description="How the list is written.")
