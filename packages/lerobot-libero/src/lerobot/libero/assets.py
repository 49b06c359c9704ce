"""LIBERO's meshes and pictures: a folder of this computer, or the Hub's repository of them."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.core.paths import user_path

VARIABLE = "LEROBOT_LIBERO_ASSETS"
"""Names the folder where a command line does not."""

REPOSITORY = "lerobot/libero-assets"
"""Repository of datasets that has them."""


def find_assets(folder: Path | None = None) -> Path:
    """Say where the assets are; those of the Hub are downloaded once and checked.

    Args:
        folder: where they are; None for what `LEROBOT_LIBERO_ASSETS` says, else the Hub.

    Returns:
        The folder that has `scenes`, `textures` and the folders of objects.

    Raises:
        LeRobotError: there is no such folder, they cannot be downloaded, or a file is not what the Hub says it is.
    """
    if folder is None and (named := os.environ.get(VARIABLE)):
        folder = user_path(Path(named))
    if folder is None:
        return _downloaded()
    if not (folder / "scenes").is_dir():
        raise LeRobotError(
            f"{folder} is no folder of LIBERO's assets: it has no folder 'scenes'",
            expected=f"--env.assets or {VARIABLE} with the folder libero/libero/assets of a copy of LIBERO",
        )
    return folder


def _downloaded() -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        folder = Path(snapshot_download(REPOSITORY, repo_type="dataset"))
        marker = folder.parent.parent / f"verified-{folder.name}"
        if not marker.exists():
            check_files(
                folder, HfApi().list_repo_tree(REPOSITORY, repo_type="dataset", recursive=True, revision=folder.name)
            )
            marker.touch()
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise LeRobotError(
            f"LIBERO's meshes and pictures are not here, and cannot be downloaded: {str(error).splitlines()[0]}",
            hint=f"With a copy of LIBERO: --env.assets=FOLDER or {VARIABLE}, its folder libero/libero/assets",
        ) from error
    inside = folder / "assets"
    return inside if inside.is_dir() else folder


def check_files(folder: Path, listing: Iterable[Any]) -> None:
    """Compare files with the hashes that the Hub has of them; one that is another is removed, to be fetched anew.

    Args:
        folder: where they are.
        listing: the Hub's `RepoFile` of each, and folders, which are passed over.

    Raises:
        LeRobotError: a file is missing, or is another one.
    """
    from huggingface_hub.hf_api import RepoFile

    for entry in listing:
        if not isinstance(entry, RepoFile):
            continue
        file = folder / entry.path
        if not file.is_file():
            raise LeRobotError(
                f"{file} is missing", hint="Run the command again: what is there is not downloaded twice."
            )
        found = _sha256(file) if entry.lfs else _git_blob(file)
        if found != (entry.lfs.sha256 if entry.lfs else entry.blob_id):
            # The Hub's client keeps content under the name it should have, and would take it from there again.
            file.resolve().unlink()
            file.unlink(missing_ok=True)
            raise LeRobotError(
                f"{file} is not the file of {REPOSITORY}, and was removed",
                hint="Run the command again: it is downloaded anew.",
            )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _git_blob(file: Path) -> str:
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
