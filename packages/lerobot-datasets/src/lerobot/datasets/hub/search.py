"""Which LeRobot datasets there are on the Hub."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from huggingface_hub import HfApi

from lerobot.datasets.hub.errors import hub_errors, reach_hub

TAG = "LeRobot"
"""What the card of every LeRobot dataset is tagged with."""

Order = Literal["downloads", "likes", "created_at", "last_modified", "trending_score"]


@dataclass(frozen=True, slots=True)
class FoundDataset:
    """A dataset on the Hub.

    Attributes:
        repo_id: its name, `owner/name`.
        downloads: of the last 30 days.
        likes: by how many people.
        last_modified: when; None if the Hub does not say.
    """

    repo_id: str
    downloads: int
    likes: int
    last_modified: datetime | None


def search_datasets(
    query: str | None = None,
    *,
    author: str | None = None,
    sort: Order = "downloads",
    limit: int = 20,
    token: str | None = None,
) -> list[FoundDataset]:
    """Ask the Hub.

    Args:
        query: part of the name; any if None.
        author: owner; anybody if None.
        sort: what comes first: the most of it, or the newest.
        limit: most datasets to return.
        token: access token; the one of `hf auth login` if None.

    Raises:
        HubError: the Hub cannot be reached.
    """
    with hub_errors("the Hub could not be searched"):
        reach_hub()
        found = HfApi(token=token).list_datasets(
            filter=TAG,
            search=query,
            author=author,
            sort=sort,
            limit=limit,
            expand=["downloads", "lastModified", "likes"],
        )
        return [FoundDataset(each.id, each.downloads or 0, each.likes or 0, each.last_modified) for each in found]
