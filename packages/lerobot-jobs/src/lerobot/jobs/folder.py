"""Where the parts of a job lie: its plan, and per shard a receipt, a folder of results and a lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from lerobot.core.durable import make_folder
from lerobot.core.errors import JobError
from lerobot.jobs.plan import PLAN_FILE, Shard
from lerobot.jobs.receipt import Receipt, load_receipt


@dataclass(frozen=True, slots=True)
class JobFolder:
    """A job on the disk; every machine that runs its shards sees it under the same path.

    The file system must have locks (NFS from version 4 on, Lustre mounted with `flock`).

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def plan_file(self) -> Path:
        """The plan."""
        return self.path / PLAN_FILE

    def result(self, shard: Shard) -> Path:
        """What a shard's worker wrote, once there is a receipt."""
        return self.path / "shards" / shard.name

    def aside(self, shard: Shard) -> Path:
        """Where a shard's worker writes."""
        return self.path / "shards" / f".{shard.name}"

    def receipt_file(self, shard: Shard) -> Path:
        """What says that a shard is done."""
        return self.path / "receipts" / f"{shard.name}.json"

    def receipt(self, shard: Shard, *, contents: bool) -> Receipt | None:
        """The receipt of a shard whose result is there as it says; None else.

        Args:
            shard: of the plan.
            contents: compare what is in the files too, not only their sizes.
        """
        receipt = load_receipt(self.receipt_file(shard))
        if receipt is None or receipt.shard != shard.name:
            return None
        return receipt if receipt.describes(self.result(shard), contents=contents) else None

    @contextmanager
    def writing(self, shard: Shard) -> Iterator[None]:
        """The only process that does this shard; waits for another that does. A killed one gives the right back."""
        locks = self.path / "locks"
        make_folder(locks)
        with FileLock(locks / shard.name):
            yield

    @contextmanager
    def driving(self) -> Iterator[None]:
        """The only process that drives this job.

        Raises:
            JobError: another one does, or the folder cannot be written.
        """
        lock = FileLock(self.path / "driver.lock")
        try:
            make_folder(self.path)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise JobError(f"another process runs the job in {self.path}", hint="wait until it has ended") from error
        except OSError as error:
            raise JobError(f"the job in {self.path} cannot be written: {error.strerror or error}") from error
        try:
            yield
        finally:
            lock.release()
