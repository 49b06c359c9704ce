"""A table of measurements."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.core.durable import replace_text
from lerobot.core.hooks import hookimpl


class CsvTracker:
    """Keeps `metrics.csv`: a row per measured step, a column per measurement, complete at every instant.

    Args:
        path: the file.
        step: step the run goes on from; rows after it, of a run that got further, are dropped.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self._path = path
        self._rows: dict[int, dict[str, Any]] = {}
        if path.exists() and step:
            with path.open(encoding="utf-8", newline="") as file:
                rows = {
                    int(row["step"]): {key: value for key, value in row.items() if value}
                    for row in csv.DictReader(file)
                }
            self._rows = {number: row for number, row in rows.items() if number <= step}

    @hookimpl
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `LearningHooks.train_step`."""
        self._add(step, metrics)

    @hookimpl
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """See `LearningHooks.evaluation_done`."""
        if step is not None:
            overall = results["overall"]
            self._add(step, {key: overall[key] for key in ("pc_success", "avg_sum_reward", "avg_max_reward")})

    def _add(self, step: int, values: Mapping[str, Any]) -> None:
        self._rows.setdefault(step, {"step": step}).update(values)
        columns = list(dict.fromkeys(key for row in self._rows.values() for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows[number] for number in sorted(self._rows))
        replace_text(self._path, text.getvalue())
