"""Uploading: what the episodes table names, in one commit, so that nobody ever downloads half of a version."""

import fnmatch
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import RevisionNotFoundError

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.core.signals import check_stop
from lerobot.datasets.format.episodes import Episodes, load_episodes
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.format.layout import INFO_PATH, numbered_files
from lerobot.datasets.hub.card import dataset_card
from lerobot.datasets.hub.errors import hub_errors
from lerobot.datasets.hub.pull import episode_files
from lerobot.datasets.hub.revision import DEFAULT_BRANCH

logger = logging.getLogger(__name__)

CARD_PATH = "README.md"
EPISODES_FOLDER = "meta/episodes"
_DATASET_FOLDERS = ("data", "meta", "videos")
_TRANSIENT = ("images", "tmp*", ".*", "__pycache__")
"""Folders of a recording in progress, of editors and caches; never part of a dataset."""


def push(
    root: Path,
    repo_id: str,
    *,
    branch: str | None = None,
    tags: Sequence[str] | None = None,
    license_name: str | None = "apache-2.0",
    tag_version: bool = True,
    push_videos: bool = True,
    private: bool | None = None,
    allow_patterns: Sequence[str] | str | None = None,
    token: str | None = None,
    **card: Any,
) -> str:
    """Upload a dataset and mark it with the version of its format, by which readers find it.

    The commit also removes data, videos and metadata that the dataset no longer has; files that are already there are
    not sent again, also those of an upload that was cut off. A `README.md` in the folder is the card; otherwise one is
    written.

    Args:
        root: the dataset's folder.
        repo_id: where to, `owner/name`.
        branch: branch to commit to, made if there is none.
        tags: of the card, beside `LeRobot`.
        license_name: licence on the card.
        tag_version: move the version tag to this commit.
        push_videos: upload videos; without them, those that are there stay.
        private: whether only the owner may see a new repository; the owner's default if None.
        allow_patterns: upload only files that match one of these, and remove none.
        token: access token; the one of `hf auth login` if None.
        **card: further entries of the card, see `dataset_card`.

    Returns:
        Address of the commit.

    Raises:
        HubError: the Hub cannot be reached or refused it; the folder is unharmed.
        DatasetError: the dataset is empty, or files of it are missing.
    """
    info = load_info(root := user_path(root))
    files = _chosen(dataset_files(root, info, load_episodes(root, info), videos=push_videos), allow_patterns)
    hub = HfApi(token=token)
    target = branch or DEFAULT_BRANCH
    with hub_errors(f"{root} could not be uploaded to {repo_id}"):
        _make_repository(hub, repo_id, branch, private)
        operations = _additions(root, files)
        if CARD_PATH not in files:
            text = dataset_card(repo_id, info, tags=tags or (), license_name=license_name, **card)
            operations.append(CommitOperationAdd(CARD_PATH, text.encode()))
        if allow_patterns is None:
            there = hub.list_repo_files(repo_id, repo_type="dataset", revision=target)
            operations += [CommitOperationDelete(path) for path in _stale(there, files, keep_videos=not push_videos)]
        commit = hub.create_commit(
            repo_id, operations, commit_message="Upload dataset", repo_type="dataset", revision=target
        )
        if tag_version:
            _move_tag(hub, repo_id, _tag_of(info), commit.oid)
    logger.info("%s: %d files committed to %s", repo_id, len(files), target)
    return str(commit.commit_url)


def dataset_files(root: Path, info: Info, episodes: Episodes, *, videos: bool = True) -> list[str]:
    """Files to upload, below the root: those the dataset names, and what the user put beside them.

    Files beyond the commit point belong to no episode and are left out.

    Raises:
        DatasetError: there is no episode, or files are missing; names the first.
    """
    if not len(episodes):
        raise DatasetError(f"{root} has no episode to upload", hint="Record one first: lerobot record --help")
    named = episode_files(info, episodes, videos=videos)
    missing = [path for path in named if not (root / path).is_file()]
    if missing:
        raise DatasetError(
            f"{root / missing[0]} is missing, and {len(missing) - 1} more files", expected="a complete dataset"
        )
    return [INFO_PATH, *named, *_metadata(root, info, episodes), *_beside(root)]


def _chosen(files: Sequence[str], allow_patterns: Sequence[str] | str | None) -> dict[str, None]:
    """The files that match a pattern, each once; all if there are no patterns."""
    patterns = [allow_patterns] if isinstance(allow_patterns, str) else allow_patterns
    return {
        path: None for path in files if patterns is None or any(fnmatch.fnmatch(path, pattern) for pattern in patterns)
    }


def _make_repository(hub: HfApi, repo_id: str, branch: str | None, private: bool | None) -> None:
    hub.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
    if branch is not None:
        hub.create_branch(repo_id, branch=branch, repo_type="dataset", exist_ok=True)


def _additions(root: Path, files: Iterable[str]) -> list[CommitOperationAdd | CommitOperationDelete]:
    additions: list[CommitOperationAdd | CommitOperationDelete] = []
    for path in files:
        check_stop()
        # Reads the whole file, for its hash.
        additions.append(CommitOperationAdd(path, root / path))
    return additions


def _metadata(root: Path, info: Info, episodes: Episodes) -> Iterator[str]:
    used = None
    if not info.is_legacy:
        # Rows of an episodes file follow each other, so the files that hold the committed ones are the first.
        used = set(_committed_tables(root, len(episodes)))
    for path in sorted((root / "meta").rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or name == INFO_PATH or _is_transient(name):
            continue
        if used is None or not name.startswith(f"{EPISODES_FOLDER}/") or name in used:
            yield name


def _committed_tables(root: Path, total_episodes: int) -> Iterator[str]:
    rows = 0
    for _, _, path in numbered_files(root / EPISODES_FOLDER):
        if rows >= total_episodes:
            return
        rows += pq.read_metadata(path).num_rows
        yield path.relative_to(root).as_posix()


def _beside(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not _is_transient(name) and name.partition("/")[0] not in _DATASET_FOLDERS:
            yield name


def _is_transient(name: str) -> bool:
    first, _, rest = name.partition("/")
    hidden = any(part.startswith(".") for part in name.split("/"))
    return hidden or (bool(rest) and any(fnmatch.fnmatch(first, pattern) for pattern in _TRANSIENT))


def _stale(there: Sequence[str], files: dict[str, None], *, keep_videos: bool) -> list[str]:
    folders = [folder for folder in _DATASET_FOLDERS if not (keep_videos and folder == "videos")]
    return [path for path in there if path.partition("/")[0] in folders and path not in files]


def _tag_of(info: Info) -> str:
    return "v{}.{}".format(*info.version)


def _move_tag(hub: HfApi, repo_id: str, tag: str, commit: str) -> None:
    try:
        hub.delete_tag(repo_id, tag=tag, repo_type="dataset")
    except RevisionNotFoundError:
        logger.debug("%s had no tag %s", repo_id, tag)
    hub.create_tag(repo_id, tag=tag, revision=commit, repo_type="dataset")
