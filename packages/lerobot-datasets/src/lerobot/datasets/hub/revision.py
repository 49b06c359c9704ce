"""Which revision of a dataset on the Hub to read."""

import re
from collections.abc import Iterable

from huggingface_hub import HfApi

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.layout import CODEBASE_VERSION
from lerobot.datasets.hub.errors import hub_errors

NEWEST_MAJOR = 3
"""Datasets are tagged with the version of their format; this is the newest that can be read."""
DEFAULT_BRANCH = "main"


def choose_revision(repo_id: str, token: str | None = None) -> str:
    """The newest version of a dataset that can be read.

    Args:
        repo_id: name of the dataset, `owner/name`.
        token: access token; the one of `hf auth login` if None.

    Returns:
        A tag such as `v3.0`, or the default branch where nothing is tagged: its `info.json` says what it is.

    Raises:
        HubError: the Hub cannot be reached or has no such dataset.
        DatasetError: every version is of a newer format.
    """
    with hub_errors(f"{repo_id} could not be looked up on the Hub"):
        refs = HfApi(token=token).list_repo_refs(repo_id, repo_type="dataset")
    return newest_readable(repo_id, [ref.name for ref in (*refs.branches, *refs.tags)])


def newest_readable(repo_id: str, names: Iterable[str]) -> str:
    """The best of the names of branches and tags; see `choose_revision`."""
    versions = {version: name for name in names if (version := _version(name)) is not None}
    readable = {version: name for version, name in versions.items() if 2 <= version[0] <= NEWEST_MAJOR}
    if _version(CODEBASE_VERSION) in readable:
        return CODEBASE_VERSION
    if readable:
        return readable[max(readable)]
    if versions:
        found = ", ".join(versions[version] for version in sorted(versions))
        raise DatasetError(f"{repo_id} has only the versions {found}", expected=f"v2.0 to v{NEWEST_MAJOR}.x")
    return DEFAULT_BRANCH


def _version(name: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"v(\d+)\.(\d+)", name)
    return (int(match[1]), int(match[2])) if match else None
