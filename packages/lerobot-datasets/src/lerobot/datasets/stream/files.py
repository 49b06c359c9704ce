"""Files of the episodes in the pool: as they are in a folder, or fetched from the Hub and removed after use."""

import logging
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from huggingface_hub import hf_hub_download

from lerobot.core.paths import lerobot_home
from lerobot.datasets.hub.errors import hub_errors

logger = logging.getLogger(__name__)

DOWNLOADS_AT_A_TIME = 4


class EpisodeFiles(Protocol):
    """Where a consumer finds the files it reads."""

    @property
    def root(self) -> Path:
        """Folder in which every file stands at its path."""
        ...

    def want(self, paths: Iterable[str]) -> None:
        """Say that files will be read; each call is undone by one of `release`."""
        ...

    def wait(self, paths: Iterable[str]) -> None:
        """Return when wanted files are there; raises what kept one from coming."""
        ...

    def release(self, paths: Iterable[str]) -> None:
        """Say that files were read."""
        ...

    def close(self) -> None:
        """End."""
        ...


class LocalFiles:
    """The files of a dataset on this computer, which are neither copied nor removed.

    Args:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def want(self, paths: Iterable[str]) -> None:
        """Nothing to do."""

    def wait(self, paths: Iterable[str]) -> None:
        """Nothing to do."""

    def release(self, paths: Iterable[str]) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class HubFiles:
    """Files of a commit on the Hub, fetched in the background into a folder of this consumer's own.

    A file is there from the first `want` to the last `release`, and is downloaded once in between. The folder goes when
    the consumer ends; that of one which was killed goes when the next one starts.

    Attributes:
        before_removal: called with the path of each file that is about to go, so that readers can close it.

    Args:
        repo_id: name of the dataset.
        commit: hash of the commit.
        copy: folder with files of that commit, such as the metadata; what is there is read there.
        token: access token; the one of `hf auth login` if None.
    """

    def __init__(
        self,
        repo_id: str,
        commit: str,
        copy: Path,
        token: str | None = None,
    ) -> None:
        self._repo_id = repo_id
        self._commit = commit
        self._copy = copy
        self._token = token
        self.before_removal: Callable[[Path], object] = id
        self._users: Counter[str] = Counter()
        self._coming: dict[str, Future[None]] = {}
        parent = lerobot_home() / "streaming" / repo_id.replace("/", "--")
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        self.root = parent / uuid.uuid4().hex
        self._lock = FileLock(f"{self.root}.lock", thread_local=False)
        self._lock.acquire(timeout=0)
        self.root.mkdir()
        self._downloads = ThreadPoolExecutor(DOWNLOADS_AT_A_TIME, thread_name_prefix="hub-files")

    def want(self, paths: Iterable[str]) -> None:
        """Begin to download files, unless somebody already wants them."""
        for path in paths:
            self._users[path] += 1
            if self._users[path] == 1:
                self._coming[path] = self._downloads.submit(self._fetch, path)

    def wait(self, paths: Iterable[str]) -> None:
        """Return when wanted files are there.

        Raises:
            HubError: one could not be downloaded; names it.
        """
        for path in paths:
            self._coming[path].result()

    def release(self, paths: Iterable[str]) -> None:
        """Remove files that nobody wants any more."""
        for path in paths:
            self._users[path] -= 1
            if not self._users[path]:
                del self._users[path]
                self._remove(path, self._coming.pop(path))

    def close(self) -> None:
        """Wait for downloads that have begun, and remove everything."""
        self._downloads.shutdown(wait=True, cancel_futures=True)
        for path in self._coming:
            self.before_removal(self.root / path)
        self._coming.clear()
        self._users.clear()
        shutil.rmtree(self.root, ignore_errors=True)
        self._lock.release()
        Path(f"{self.root}.lock").unlink(missing_ok=True)

    def _fetch(self, path: str) -> None:
        target = self.root / path
        if (self._copy / path).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(self._copy / path)
            return
        with hub_errors(f"{path} of {self._repo_id} could not be downloaded"):
            hf_hub_download(
                self._repo_id,
                path,
                repo_type="dataset",
                revision=self._commit,
                local_dir=self.root,
                token=self._token,
            )

    def _remove(self, path: str, coming: Future[None]) -> None:
        if not coming.cancel() and coming.exception() is None:
            self.before_removal(self.root / path)
            (self.root / path).unlink()


def _sweep(parent: Path) -> None:
    """Remove the folders of consumers that were killed: the system has given their locks back."""
    for lock in parent.glob("*.lock"):
        try:
            with FileLock(lock, timeout=0, thread_local=False):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink(missing_ok=True)
        except Timeout:
            logger.debug("%s is in use", lock.with_suffix(""))
