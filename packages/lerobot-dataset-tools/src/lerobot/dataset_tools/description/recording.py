"""A dataset of any version as values that JSON has: what it is, and what its episodes hold."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.dataset_tools.edit.swap import backups
from lerobot.dataset_tools.report.axes import axes_of
from lerobot.dataset_tools.report.curves import thin
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.features import INDEX_DTYPES, NUMERIC_DTYPES, Feature, element_names, image_size
from lerobot.datasets.format.info import load_info
from lerobot.datasets.record.rows import OUTCOME
from lerobot.datasets.storage.rows import data_files, read_rows
from lerobot.datasets.video.encode import open_video

MOST_ROWS = 4000
"""Rows of a column above which only those with an extreme of their stretch are given: a screen shows no more."""
MOST_ELEMENTS = 64
"""Elements of a vector above which its curves would tell nobody anything."""

Json = dict[str, Any]


class Recording:
    """A dataset that is open, and stays as it was when it was opened.

    Args:
        root: its folder; nothing is ever downloaded.

    Raises:
        DatasetError: there is no dataset, or it is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.root = user_path(root)
        load_info(self.root)  # before metadata that are not here would be looked for elsewhere
        self.meta = LeRobotDatasetMetadata(self.root.name, self.root)
        # PyAV, since the other decoder brings torch.
        self.frames = FrameDataset(self.meta, video_backend="pyav")
        self._codecs: dict[Path, tuple[str, str]] = {}

    def summary(self) -> Json:
        """What a list of datasets says about one.

        Returns:
            `root`, `name`, `format`, `robot`, `fps`, `total_episodes`, `total_frames`, `seconds`, `tasks`, and the
            newest `backup`, which `undo` would bring back, or null.
        """
        found = backups(self.root.resolve())
        return {
            "root": str(self.root),
            "name": self.root.resolve().name,
            "format": self.meta.info.codebase_version,
            "robot": self.meta.robot_type,
            "fps": self.meta.fps,
            "total_episodes": self.meta.total_episodes,
            "total_frames": self.meta.total_frames,
            "seconds": self.meta.total_frames / self.meta.fps,
            "tasks": list(self.meta.tasks),
            "backup": found[-1].name if found else None,
        }

    def files(self) -> Json:
        """Every video, under `files`: paths below the root, each once."""
        places = (self._places(key, slice(None)) for key in self.meta.video_keys)
        return {"files": sorted({place["file"] for each in places for place in each})}

    def describe(self, first: int = 0, count: int | None = None) -> Json:
        """The whole dataset, but for its numbers.

        Args:
            first: the first episode that is listed.
            count: most episodes that are listed; all if None.

        Returns:
            `summary`, with `features`, `cameras`, and under `episodes` each one's `index`, `frames`, `tasks`, `outcome`
            and `videos`: per camera the `file` below the root and its span there, as the episodes table has it.

        Raises:
            DatasetError: its outcomes cannot be read.
        """
        meta, listed = self.meta, slice(first, None if count is None else first + count)
        lengths, tasks = meta.episodes["length"][listed], meta.episodes["tasks"][listed]
        known = self._outcomes()
        outcomes = [None] * len(lengths) if known is None else known[listed]
        # By column: of a large recording, rows taken one by one cost seconds.
        videos = {key: self._places(key, listed) for key in meta.video_keys}
        episodes = [
            {"index": first + at, "frames": frames, "tasks": words, "outcome": outcome}
            | {"videos": {key: places[at] for key, places in videos.items()}}
            for at, (frames, words, outcome) in enumerate(zip(lengths, tasks, outcomes, strict=True))
        ]
        return {
            **self.summary(),
            "features": {key: _declaration(feature) for key, feature in meta.features.items()},
            "cameras": {key: self._camera(key) for key in meta.camera_keys},
            "episodes": episodes,
        }

    def episode(self, number: int) -> Json:
        """The numbers of an episode.

        Returns:
            `episode`, `frames`, `time_s` of each row; `columns`: per vector its `names`, the `rows` that are given
            (null for all, see `MOST_ROWS`) and `values` by element; `axes`: which elements are of one unit; `videos`:
            per camera `file`, `from_s`, `to_s`, `images`, `codec` and `pixel_format` as the file itself has them, or
            the `error`; `left_out`: vectors that are not given, and why.

        Raises:
            DatasetError: there is no such episode, or its rows cannot be read.
        """
        row = self.meta.episodes[self._known(number)]
        positions = self.positions(number)
        columns: Json = {}
        axes: list[Json] = []
        left_out: dict[str, str] = {}
        for key, feature in self.meta.features.items():
            if feature["dtype"] not in NUMERIC_DTYPES or key in INDEX_DTYPES:
                continue
            if len(feature["shape"]) > 1 or feature["shape"][0] > MOST_ELEMENTS:
                left_out[key] = f"shape {feature['shape']}; vectors of at most {MOST_ELEMENTS} elements are given"
                continue
            values = self.frames.reader.numbers.fetch({key: positions})[key].reshape(len(positions), -1)
            names, rows = element_names(feature), rows_that_tell(values)
            given = values if rows is None else values[rows]
            columns[key] = {
                "names": names,
                "rows": None if rows is None else rows.tolist(),
                "values": [_finite(given[:, element]) for element in range(given.shape[1])],
            }
            axes += [
                {"feature": key, "label": axis.label, "elements": axis.elements}
                for axis in axes_of(key, names, [values.astype(np.float64)])
            ]
        return {
            "episode": number,
            "frames": row["length"],
            "tasks": row["tasks"],
            "time_s": _finite(self.frames.reader.numbers.fetch({"timestamp": positions})["timestamp"]),
            "columns": columns,
            "axes": axes,
            "videos": {key: self._video(key, number) for key in self.meta.video_keys},
            "left_out": left_out,
        }

    def positions(self, number: int) -> NDArray[np.int64]:
        """Dataset positions of an episode's rows.

        Raises:
            DatasetError: there is no such episode.
        """
        row = self.meta.episodes[self._known(number)]
        return np.arange(row["dataset_from_index"], row["dataset_to_index"])

    def _known(self, number: int) -> int:
        if number < 0:
            raise DatasetError(f"episode {number} does not exist", expected="a number from 0")
        return number

    def _places(self, key: str, listed: slice) -> list[Json]:
        """Where the images of episodes are, as the episodes table has it."""
        names = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
        columns = [self.meta.episodes[f"videos/{key}/{name}"][listed] for name in names]
        return [
            {"file": self.meta.info.video_file(key, chunk, file), "from_s": begin, "to_s": end}
            for chunk, file, begin, end in zip(*columns, strict=True)
        ]

    def _camera(self, key: str) -> Json:
        feature = self.meta.features[key]
        height, width, channels = image_size(feature)
        info = feature.get("info") or {}
        return {
            "stored": feature["dtype"],
            "height": height,
            "width": width,
            "channels": channels,
            "depth": key in self.meta.depth_keys,
            "codec": info.get("video.codec"),
        }

    def _video(self, key: str, number: int) -> Json:
        """Where an episode's images are: from the file's own table, which knows better than the episodes table."""
        videos, file = self.frames.reader.videos, self.meta.get_video_file_path(number, key)
        try:
            first, stop = videos.span(key, number)
            table = videos.table(key, number)
            codec, pixels = self._codec(self.root / file)
        except DatasetError as error:
            return {"file": file.as_posix(), "error": str(error)}
        last = table.time(stop - 1) + 1 / self.meta.fps
        return {
            "file": file.as_posix(),
            "from_s": table.time(first),
            "to_s": min(last, table.time(stop)) if stop < len(table) else last,
            "images": stop - first,
            "codec": codec,
            "pixel_format": pixels,
        }

    def _codec(self, path: Path) -> tuple[str, str]:
        if path not in self._codecs:
            with open_video(path) as container:
                context = container.streams.video[0].codec_context
                self._codecs[path] = context.codec.canonical_name, str(context.pix_fmt)
        return self._codecs[path]

    def _outcomes(self) -> list[str] | None:
        """The outcome of every episode, where they were recorded."""
        if self.meta.features.get(OUTCOME, {}).get("dtype") != "string":
            return None
        found: list[str] = []
        for file in data_files(self.root, self.meta.info, self.meta.episodes):
            values = read_rows(file, [OUTCOME], check_episodes=False).column(OUTCOME)
            firsts = np.cumsum(file.lengths) - file.lengths
            found += [values[int(first)].as_py() for first in firsts]
        return found


def rows_that_tell(values: NDArray[Any], most: int = MOST_ROWS) -> NDArray[np.int64] | None:
    """Rows that draw the same curves as all of them; None if there are few enough.

    Args:
        values: `(n, D)`.
        most: rows that are few enough.
    """
    if len(values) <= most:
        return None
    stretches = max(most // (2 * values.shape[1]), 2)
    chosen = [thin(values[:, element].astype(np.float64), stretches)[0] for element in range(values.shape[1])]
    return np.unique(np.concatenate(chosen))


def _declaration(feature: Feature) -> Json:
    """A feature with the names of its elements, and its unit where the format tells one."""
    declared = {"dtype": feature["dtype"], "shape": list(feature["shape"])}
    names = element_names(feature) if len(feature["shape"]) == 1 else feature["names"]
    return {**declared, "names": names, "unit": (feature.get("info") or {}).get("depth_unit")}


def _finite(values: NDArray[Any]) -> list[float | bool | int | None]:
    """Values as JSON has them, which has none that are not finite."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
