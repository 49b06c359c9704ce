"""The flags by which every command names a dataset."""

from pathlib import Path

from lerobot.core.errors import DatasetError
from lerobot.core.paths import lerobot_home


def dataset_folder(repo_id: str | None, root: Path | None) -> Path:
    """The folder that `--repo_id` and `--root` name.

    Raises:
        DatasetError: neither was given.
    """
    if root is not None:
        return root
    if repo_id is None:
        raise DatasetError("no dataset was named", expected="--repo_id or --root")
    return lerobot_home() / repo_id
