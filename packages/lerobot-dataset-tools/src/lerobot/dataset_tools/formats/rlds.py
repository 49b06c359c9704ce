"""RLDS datasets as TensorFlow Datasets writes them: one record per episode, described by `features.json`.

An episode is read as one record; its images are decoded one after the other.

Source:
    https://github.com/google-research/rlds (steps with observation, action, reward, is_first, is_last, is_terminal) and
    https://www.tensorflow.org/datasets/external_tfrecord (files beside the records).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.config import RLDSConfig
from lerobot.dataset_tools.formats.files import OpenFiles, reading
from lerobot.dataset_tools.formats.images import decode_image
from lerobot.dataset_tools.formats.source import TASK, TEXT, EpisodeSource, SourceField
from lerobot.dataset_tools.formats.tfrecord import open_records, parse_example, records_of

FEATURES_FILE = "features.json"
_STEPS = "steps/"
_TARGETS = {"reward": targets.REWARD, "is_last": targets.DONE}
_INSTRUCTIONS = frozenset({"language_instruction", "natural_language_instruction", "instruction"})


class RLDSEpisodes:
    """Episodes of TFRecord files; see `EpisodeSource`.

    Args:
        files: the files, in order.
        description: contents of `features.json`.

    Raises:
        DatasetError: there is no episode, a file is damaged, or the description is of no RLDS dataset.
    """

    def __init__(self, files: Sequence[Path], description: Any, where: Path) -> None:
        self._files = OpenFiles(open_records)
        try:
            self._look_into(files, description, where)
        except BaseException:
            self.close()
            raise

    def _look_into(self, files: Sequence[Path], description: Any, where: Path) -> None:
        self._records = [record for file in files for record in records_of(file, self._files.get(file))]
        if not self._records:
            raise DatasetError(f"{where.parent} holds no episode")
        self.episodes: Sequence[str] = [f"{record.path} at byte {record.start}" for record in self._records]
        self.fps: float | None = None
        self.task: str | None = None
        self._images: set[str] = set()
        with reading(str(where)):
            self.fields: Sequence[SourceField] = tuple(self._described(_steps(description, where)))

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        where = self.episodes[episode]
        values = parse_example(self._read(episode), where)
        wanted = [field for field in self.fields if field.name in names]
        lengths = {field.name: self._length(where, field, values) for field in wanted}
        longest = max(lengths.values(), default=0)
        for name, length in lengths.items():
            if length != longest:
                raise DatasetError(
                    f"{where}: {name} has {length} steps", expected=f"{longest}, as its other fields have"
                )
        columns = [self._column(where, field, values[_STEPS + field.name]) for field in wanted]
        for frame in zip(*columns, strict=True):
            yield dict(zip(lengths, frame, strict=True))

    def close(self) -> None:
        """See `EpisodeSource.close`."""
        self._files.close()

    def _read(self, episode: int) -> bytes:
        record = self._records[episode]
        return record.read(self._files.get(record.path))

    def _described(self, steps: Mapping[str, Any]) -> Iterator[SourceField]:
        for name, feature in _leaves(steps, ""):
            if "image" in feature:
                self._images.add(name)
                dtype, shape = self._first_image(name)
            elif "text" in feature:
                dtype, shape = TEXT, ()
            elif "tensor" in feature and feature["tensor"].get("encoding", "none").lower() == "none":
                dtype, shape = _tensor(feature["tensor"])
            else:
                continue
            if -1 not in shape and not (dtype == TEXT and shape):
                yield SourceField(name, dtype, shape, _target(name, dtype, shape))

    def _first_image(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Type and size of a camera's images; many descriptions leave the size open."""
        values = parse_example(self._read(0), self.episodes[0]).get(_STEPS + name, ())
        if not len(values):
            raise DatasetError(f"{self.episodes[0]} lacks {name}", expected=f"the images that {FEATURES_FILE} promises")
        first = decode_image(values[0], f"{self.episodes[0]}: {name}")
        return first.dtype.name, first.shape

    def _length(self, where: str, field: SourceField, values: Mapping[str, Any]) -> int:
        if _STEPS + field.name not in values:
            raise DatasetError(f"{where} lacks {field.name}", expected=f"the fields that {FEATURES_FILE} promises")
        size = 1 if field.name in self._images else int(np.prod(field.shape, dtype=np.int64))
        length, rest = divmod(len(values[_STEPS + field.name]), max(size, 1))
        if rest:
            raise DatasetError(
                f"{where}: {field.name} has {len(values[_STEPS + field.name])} numbers", expected=f"{size} per step"
            )
        return length

    def _column(self, where: str, field: SourceField, values: Any) -> Iterator[Any]:
        place = f"{where}: {field.name}"
        with reading(place):
            if field.name in self._images:
                return (decode_image(value, place) for value in values)
            if field.dtype == TEXT:
                return iter([value.decode("utf-8") for value in values])
            return iter(np.asarray(values, field.dtype).reshape(-1, *field.shape))


def open_rlds(config: RLDSConfig) -> EpisodeSource:
    """Open a dataset's version folder, such as `bridge/0.1.0`, or one file of it.

    Raises:
        DatasetError: there are no records, or no description of them.
    """
    path = config.path
    folder = path if path.is_dir() else path.parent
    files = config.chosen_files()
    description_file = folder / FEATURES_FILE
    with reading(str(description_file), "the folder of a version, with records and their description"):
        description = read_json(description_file)
    return RLDSEpisodes(files, description, description_file)


def _steps(description: Any, where: Path) -> Mapping[str, Any]:
    """Features of one step."""
    try:
        steps = description["featuresDict"]["features"]["steps"]["sequence"]["feature"]["featuresDict"]["features"]
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{where} describes no steps", expected="the description of an RLDS dataset") from error
    return dict(steps)


def _leaves(features: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, feature in features.items():
        if "featuresDict" in feature:
            yield from _leaves(feature["featuresDict"].get("features", {}), f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", feature


def _tensor(tensor: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    shape = tuple(int(size) for size in (tensor.get("shape") or {}).get("dimensions", ()))
    dtype = str(tensor.get("dtype", ""))
    return (TEXT if dtype in ("string", "object") else dtype), shape


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    last = name.rpartition("/")[2]
    if dtype == TEXT:
        return TASK if last in _INSTRUCTIONS else None
    if name == "action" or name.startswith("action/"):
        return targets.ACTION
    if name.startswith("observation/") and "embedding" not in last:
        return targets.observation_target(name, dtype, shape)
    return _TARGETS.get(name)
