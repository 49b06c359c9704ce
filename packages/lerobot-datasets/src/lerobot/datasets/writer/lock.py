"""One writer per dataset folder, and the folder where it keeps what is not yet part of the dataset."""

import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from lerobot.core.durable import make_folder
from lerobot.core.errors import DatasetError

STAGING_FOLDER = ".recording"
"""Below the dataset's root, invisible to every reader; exists only while somebody writes or after a kill."""


class WriterLock:
    """Exclusive right to change a dataset folder, and its empty staging folder.

    The operating system gives the lock back when the process ends, however it ends.

    Args:
        root: the dataset's folder; created if missing.

    Raises:
        DatasetError: another process or object is writing, or the folder cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self.staging = root / STAGING_FOLDER
        try:
            make_folder(self.staging)
            self._lock = FileLock(self.staging / "lock", thread_local=False)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise DatasetError(
                f"{root} is being written by another process",
                expected="one writer at a time",
                hint="stop the other recording, or choose another folder with --dataset.root",
            ) from error
        except OSError as error:
            raise DatasetError(
                f"{root} cannot be written: {error.strerror or error}", hint="check its permissions and the disk"
            ) from error
        self.clear_staging()

    def clear_staging(self) -> None:
        """Remove what an episode or a killed writer left in the staging folder."""
        for path in self.staging.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def moved_to(self, root: Path) -> None:
        """Follow the folder, which was renamed while locked."""
        self.staging = root / STAGING_FOLDER

    def release(self) -> None:
        """Remove the staging folder and let others write."""
        # Removed while still locked: whoever opened the file in between finds it unlinked and starts over.
        shutil.rmtree(self.staging, ignore_errors=True)
        self._lock.release()
