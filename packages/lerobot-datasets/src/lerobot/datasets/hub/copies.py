"""Which folders are copies of a commit on the Hub, known without asking it."""

from pathlib import Path

from lerobot.core.paths import lerobot_home
from lerobot.datasets.format.layout import INFO_PATH

_RECORD_OF_COMMIT = Path(".cache/huggingface/download") / f"{INFO_PATH}.metadata"


def cache_folder() -> Path:
    """Where datasets go that are downloaded without a folder being named; every commit has one that never changes."""
    return lerobot_home() / "hub"


def in_cache(root: Path) -> bool:
    """Whether a folder is one of the cache, whose files are links."""
    return root.parent.name == "snapshots" and root.is_relative_to(cache_folder())


def commit_of(root: Path) -> str | None:
    """Hash of the commit that a folder is a copy of; None for a dataset that was made here."""
    if in_cache(root):
        return root.name
    record = root / _RECORD_OF_COMMIT
    return record.read_text(encoding="utf-8").partition("\n")[0] if record.is_file() else None
