"""`lerobot datasets`: what there is on the Hub, as a table or for programs."""

import json

import typer

from lerobot.datasets.commands.datasets import DatasetsConfig
from lerobot.datasets.hub.search import FoundDataset, search_datasets


def datasets(config: DatasetsConfig) -> None:
    """List the datasets that a search finds.

    Raises:
        HubError: the Hub cannot be reached.
    """
    found = search_datasets(config.query, author=config.author, sort=config.sort, limit=config.limit)
    if config.format == "json":
        typer.echo(json.dumps([_row(each) for each in found], indent=2))
    elif found:
        typer.echo(_table(found))
    else:
        typer.echo("no LeRobot dataset was found")


def _row(found: FoundDataset) -> dict[str, str | int | None]:
    updated = found.last_modified.date().isoformat() if found.last_modified else None
    return {"repo_id": found.repo_id, "downloads": found.downloads, "likes": found.likes, "updated": updated}


def _table(found: list[FoundDataset]) -> str:
    width = max(len(each.repo_id) for each in found)
    rows = [("DATASET", "DOWNLOADS", "LIKES", "UPDATED"), *(_row(each).values() for each in found)]
    return "\n".join(
        f"{name:<{width}}  {downloads:>9}  {likes:>5}  {updated or ''}".rstrip()
        for name, downloads, likes, updated in rows
    )
