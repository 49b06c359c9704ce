"""Fetching: nothing at all for what is on this computer, and only the files that are needed for what is not.

A dataset is read where it was recorded, in `$HF_LEROBOT_HOME/<repo_id>` or in the folder that was named. One that is
nowhere comes from the Hub: into the folder that was named, or else into `$HF_LEROBOT_HOME/hub`, where every commit has
a folder of its own that never changes. Files that are still missing from a copy are fetched from the commit it is of,
so that a copy never mixes two.
"""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from huggingface_hub import snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import tqdm, validate_repo_id  # type: ignore[attr-defined] # public, but not handed on by name

from lerobot.core.errors import DatasetError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.core.signals import check_stop
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.layout import CODEBASE_VERSION, INFO_PATH, stamped_beside
from lerobot.datasets.hub.copies import cache_folder, commit_of, in_cache
from lerobot.datasets.hub.errors import HubError, hub_errors, reach_hub
from lerobot.datasets.hub.revision import DEFAULT_BRANCH, choose_revision

METADATA = ("meta/*", "meta/**/*", "README.md")
_KNOWN_VERSIONS = (CODEBASE_VERSION, "v2.1", "v2.0", DEFAULT_BRANCH)


def fetch_metadata(
    repo_id: str,
    root: Path | None = None,
    revision: str | None = None,
    *,
    sync: bool = False,
    token: str | None = None,
) -> Path:
    """Folder of a dataset, with its metadata; the Hub is asked only if it is not on this computer.

    Args:
        repo_id: name of the dataset, `owner/name`.
        root: its folder, in which the copy is made; chosen if None.
        revision: tag, branch or commit; the newest version that can be read if None.
        sync: ask the Hub whether a copy is the newest version; datasets made here stay as they are.
        token: access token; the one of `hf auth login` if None.

    Raises:
        HubError: it is not here and the Hub cannot be reached or does not have it.
        DatasetError: the folder holds something else.
    """
    root = None if root is None else user_path(root)
    here = _find_here(repo_id, root, revision)
    if here is not None and not (sync and commit_of(here)):
        return here
    if here is None and root is not None and root.exists() and any(root.iterdir()):
        raise DatasetError(
            f"no dataset at {root}: {INFO_PATH} is missing", expected="the root folder of a LeRobotDataset"
        )
    place = root or lerobot_home() / repo_id
    missing = f"no dataset at {place}: the folder {'holds none' if place.is_dir() else 'does not exist'}"
    meant = _meant(repo_id, place)
    if not _could_be_on_the_hub(repo_id):
        # Nothing on the Hub has such a name, so that asking there would only be slow.
        raise DatasetError(missing, hint=meant)
    try:
        wanted = revision or choose_revision(repo_id, token)
        folder = _download(repo_id, root, wanted, METADATA, token)
    except HubError as error:
        raise HubError(
            missing,
            expected=f"a dataset there, or {repo_id} on the Hub ({error.what})",
            hint=meant or error.hint,
        ) from error
    if not (folder / INFO_PATH).is_file():
        raise HubError(f"{repo_id} at {wanted} is no LeRobotDataset: it has no {INFO_PATH}")
    return folder


def fetch_files(root: Path, repo_id: str, paths: Iterable[str], token: str | None = None) -> None:
    """Download files that a copy of a dataset lacks; a folder that is no copy is left alone.

    Args:
        root: the folder.
        repo_id: name of the dataset.
        paths: files below it.
        token: access token; the one of `hf auth login` if None.

    Raises:
        HubError: the transfer failed, or the Hub lacks a file; what arrived whole is kept.
    """
    root = user_path(root)
    missing = [path for path in dict.fromkeys(paths) if not (root / path).exists()]
    commit = commit_of(root)
    if not missing or commit is None:
        return
    _download(repo_id, None if in_cache(root) else root, commit, [glob.escape(path) for path in missing], token)
    absent = [path for path in missing if not (root / path).exists()]
    if absent:
        raise HubError(f"{repo_id} at {commit} lacks {absent[0]}, and {len(absent) - 1} more files of its episodes")


def episode_files(
    info: Info, episodes: Episodes, chosen: Sequence[int] | None = None, *, videos: bool = True
) -> list[str]:
    """Data and video files of episodes, below the root, each once.

    Args:
        info: declarations of the dataset.
        episodes: its episodes table.
        chosen: numbers of episodes; all if None.
        videos: whether to name the video files too.
    """
    rows = slice(None) if chosen is None else np.array(chosen, np.int64)
    places = {"": "data"} | ({key: f"videos/{key}" for key in info.video_keys} if videos else {})
    paths: list[str] = []
    for key, prefix in places.items():
        numbers = zip(
            episodes.column(f"{prefix}/chunk_index")[rows].tolist(),
            episodes.column(f"{prefix}/file_index")[rows].tolist(),
            strict=True,
        )
        paths += [info.video_file(key, *pair) if key else info.data_file(*pair) for pair in dict.fromkeys(numbers)]
    return paths


def _meant(repo_id: str, place: Path) -> str:
    """`record` appends when it began to the name; people leave that out."""
    stamped = stamped_beside(place)
    owner = repo_id.rpartition("/")[0]
    return f"did you mean {owner}{'/' if owner else ''}{stamped[-1].name}?" if stamped else ""


def _could_be_on_the_hub(repo_id: str) -> bool:
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        return False
    return repo_id.count("/") == 1


def _find_here(repo_id: str, root: Path | None, revision: str | None) -> Path | None:
    if root is not None:
        return root if (root / INFO_PATH).exists() else None
    own = lerobot_home() / repo_id
    if revision is None and (own / INFO_PATH).exists():
        return own
    if not _could_be_on_the_hub(repo_id):
        return None
    for name in _KNOWN_VERSIONS if revision is None else (revision,):
        path = try_to_load_from_cache(repo_id, INFO_PATH, cache_dir=cache_folder(), revision=name, repo_type="dataset")
        if isinstance(path, str):
            return Path(path).parents[1]
    return None


class _Progress(tqdm):
    """The Hub's progress bar; it hears of every piece that arrives, in whichever thread."""

    def update(self, n: float | None = 1) -> bool | None:
        check_stop()
        displayed: bool | None = super().update(n)
        return displayed


def _download(repo_id: str, root: Path | None, revision: str, patterns: Sequence[str], token: str | None) -> Path:
    with hub_errors(f"{repo_id} could not be downloaded"):
        reach_hub()
        folder = snapshot_download(
            repo_id,
            repo_type="dataset",
            revision=revision,
            cache_dir=cache_folder() if root is None else None,
            local_dir=root,
            allow_patterns=list(patterns),
            token=token,
            tqdm_class=_Progress,
        )
    return Path(folder)
