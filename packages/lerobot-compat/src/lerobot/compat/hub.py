"""Uploads of what was saved."""

import tempfile
from pathlib import Path
from typing import Any

from lerobot.core.errors import LeRobotError


def push_folder(
    folder: Path, repo_id: str | None, *, private: bool | None = None, commit_message: str | None = None
) -> str:
    """Upload a folder to a model repository of the Hub, made if need be.

    Args:
        folder: what was saved.
        repo_id: `owner/name`.
        private: make a new repository private.
        commit_message: of the commit.

    Returns:
        Address of the commit.

    Raises:
        LeRobotError: there is no name, the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    if not repo_id:
        raise LeRobotError("nothing says where to upload to", expected="repo_id='owner/name'")
    api = HfApi()
    try:
        place = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        done = api.upload_folder(repo_id=place, folder_path=folder, commit_message=commit_message or "Upload")
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        raise LeRobotError(
            f"{folder} was not uploaded to {repo_id}: {str(error).splitlines()[0]}",
            expected="a token that may write: hf auth login",
        ) from error
    return str(done.commit_url)


def push_saved(what: Any, repo_id: str, *, private: bool | None = None, commit_message: str | None = None) -> str:
    """Save something to a folder of its own and upload that; see `push_folder`.

    Args:
        what: with `save_pretrained(folder)`.
        repo_id: `owner/name`.
        private: make a new repository private.
        commit_message: of the commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        what.save_pretrained(folder)
        return push_folder(Path(folder), repo_id, private=private, commit_message=commit_message)


class HubMixin:
    """Uploading for classes of programs; they define `_save_pretrained(folder)`."""

    def save_pretrained(
        self, save_directory: str | Path, *, repo_id: str | None = None, push_to_hub: bool = False
    ) -> None:
        """Save to a folder, and upload it if `push_to_hub`."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self._save_pretrained(folder)
        if push_to_hub:
            push_folder(folder, repo_id)

    def _save_pretrained(self, save_directory: Path) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how it is saved")

    def push_to_hub(self, repo_id: str, *, private: bool | None = None, commit_message: str | None = None) -> str:
        """Save and upload; see `push_folder`."""
        return push_saved(self, repo_id, private=private, commit_message=commit_message)
