"""Which epoch comes next and how much of it is to be passed over, known to every worker of a process.

It is kept in shared memory: workers of a DataLoader work on copies of the dataset, which may be made anew for every
epoch or last for the whole training, and each one moves on by itself.
"""

import torch

from lerobot.core.errors import DatasetError

MOST_WORKERS = 1024
_EPOCH, _BATCHES, _BATCH_SIZE, _DROP_LAST = range(4)


class Progress:
    """A line per worker: epoch, batches of the process to pass over, their size, and whether short ones are dropped."""

    def __init__(self) -> None:
        self._lines = torch.zeros(MOST_WORKERS, 4, dtype=torch.int64)
        self._lines.share_memory_()  # type: ignore[no-untyped-call] # torch declares no types for it

    def set(self, epoch: int, batches: int = 0, batch_size: int = 1, *, drop_last: bool = False) -> None:
        """Let every worker begin there when it next iterates.

        Raises:
            DatasetError: a number is negative.
        """
        if epoch < 0 or batches < 0 or batch_size < 1:
            raise DatasetError(f"epoch {epoch}, {batches} batches of {batch_size}", expected="0 or more")
        self._lines[:] = torch.tensor([epoch, batches, batch_size, int(drop_last)])

    def get(self, worker: int = 0) -> tuple[int, int, int, bool]:
        """Epoch, batches, batch size and `drop_last` of a worker's next iteration."""
        line = self._lines[worker].tolist()
        return line[_EPOCH], line[_BATCHES], line[_BATCH_SIZE], bool(line[_DROP_LAST])

    def move_on(self, worker: int, epoch: int) -> None:
        """Make an epoch a worker's next one, from its beginning."""
        self._lines[worker] = torch.tensor([epoch, 0, 1, 0])
