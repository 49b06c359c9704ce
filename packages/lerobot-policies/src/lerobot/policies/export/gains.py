"""What an exported file costs and gains beside the policy: bytes, and time per chunk on this machine."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from torch import nn

from lerobot.policies.export.parity import Difference

_LONGEST_S, _MOST_ROUNDS, _WARM_UP = 2.0, 20, 2
"""Of the measurement of one file: no more rounds than this, and none begun after this many seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one file is.

    Attributes:
        kind: of file.
        options: it was made with.
        difference: from the policy.
        size: of the file and those beside it, bytes.
        sha256: of the file, in hexadecimal.
        weights: of the policy, bytes.
        seconds: for a chunk from one observation, median on this machine.
        policy_seconds: the policy's, in turn with those.
    """

    kind: str
    options: Mapping[str, Any]
    difference: Difference
    size: int
    sha256: str
    weights: int
    seconds: float
    policy_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Give it as `policy.json` has it."""
        difference = self.difference
        return {
            "format": self.kind,
            "options": dict(self.options),
            "bytes": self.size,
            "sha256": self.sha256,
            "policy_bytes": self.weights,
            "error": {"worst": difference.worst.tolist(), "mean": difference.mean.tolist()},
            "difference": difference.relative,
            "milliseconds": 1e3 * self.seconds,
            "policy_milliseconds": 1e3 * self.policy_seconds,
        }


def size_of_weights(policy: nn.Module) -> int:
    """Bytes of the weights in a checkpoint, those that share their memory once."""
    tensors = {tensor.data_ptr(): tensor for tensor in policy.state_dict().values()}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def medians(*calls: Callable[[], object]) -> list[float]:
    """Measure calls in turn, so that what else the machine does meets all of them.

    Returns:
        Median seconds of each.
    """
    for call in calls:
        for _ in range(_WARM_UP):
            call()
    taken: list[list[float]] = [[] for _ in calls]
    end = time.monotonic() + _LONGEST_S
    for _ in range(_MOST_ROUNDS):
        for index, call in enumerate(calls):
            begun = time.perf_counter()
            call()
            taken[index].append(time.perf_counter() - begun)
        if time.monotonic() > end:
            break
    return [statistics.median(each) for each in taken]


def table(reports: Mapping[Path, Report], names: Sequence[str] | None, units: Sequence[str | None] | None) -> Table:
    """Lay out what files cost and gain.

    Args:
        reports: by file.
        names: of the numbers of an action; None if nobody said them.
        units: theirs.
    """
    made = Table("file", "MB", "of weights", "worst error", "mean error", "ms per chunk", "policy", title="Exported")
    for path, report in reports.items():
        difference = report.difference
        index = int(difference.worst.argmax())
        unit = (units[index] or "") if units else ""
        where = names[index] if names else f"number {index}"
        made.add_row(
            path.name,
            f"{report.size / 1e6:.2f}",
            f"{report.size / report.weights:.0%}",
            f"{difference.worst[index]:.2g} {unit} ({where})".replace("  ", " "),
            f"{difference.mean.mean():.2g}",
            f"{1e3 * report.seconds:.2f}",
            f"{1e3 * report.policy_seconds:.2f}",
        )
    return made
