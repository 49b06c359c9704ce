"""Making an episode part of the dataset, so that a kill between any two system calls leaves a valid one.

The order, each step on the disk before the next:

1. videos, under names that no committed row mentions;
2. the task table, whose new rows no committed frame uses yet;
3. the row of the episodes table, then the data file. Readers that look at all files in a folder take the number of
   frames from `info.json`, so rows beyond it are never asked for; a row of the table without its data would be the
   harmless way round;
4. `stats.json`;
5. `info.json`: replacing it is the commit. Everything it counts is there, nothing before it was changed.
"""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from lerobot.core.durable import flush_file, publish, replace_text
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats, stats_to_json


@dataclass(slots=True)
class Commit:
    """Files that enter a dataset together.

    Attributes:
        root: the dataset's folder.
        files: (staged file, final path) in the order they are published.
        replaced: (staged file, final path) of files whose old contents the new ones include.
    """

    root: Path
    files: list[tuple[Path, Path]] = field(default_factory=list)
    replaced: list[tuple[Path, Path]] = field(default_factory=list)

    def run(self, info: Info, stats: Stats) -> None:
        """Publish everything, `info.json` last.

        Args:
            info: the declarations and totals with the new episode.
            stats: the dataset's statistics with the new episode.

        Raises:
            OSError: a step failed. Unless `is_done`, the staged files are back and the dataset is as before.
        """
        moved: list[tuple[Path, Path]] = []
        try:
            for source, _ in self.files + self.replaced:
                flush_file(source)
            for source, target in self.replaced:
                publish(source, target)
            for source, target in self.files:
                moved.append((source, target))
                publish(source, target)
            replace_text(self.root / layout.STATS_PATH, json.dumps(stats_to_json(stats), indent=4))
            replace_text(self.root / layout.INFO_PATH, info.to_json())
        except BaseException:
            if not self.is_done(info):
                for source, target in reversed(moved):
                    with contextlib.suppress(OSError):
                        target.replace(source)
            raise

    def is_done(self, info: Info) -> bool:
        """Whether `info` is what the dataset says now, however `run` ended."""
        path = self.root / layout.INFO_PATH
        return path.read_text(encoding="utf-8") == info.to_json()
