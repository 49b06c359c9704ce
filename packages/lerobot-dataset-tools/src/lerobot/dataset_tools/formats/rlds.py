"""RLDS datasets as TensorFlow Datasets writes them: one record per episode, described by `features.json`.

An episode is read as one record; its images are decoded one after the other. How many episodes a file holds stands in
`dataset_info.json`; only where that is missing are they counted.

Source:
    https://github.com/google-research/rlds (steps with observation, action, reward, is_first, is_last, is_terminal) and
    https://www.tensorflow.org/datasets/external_tfrecord (files beside the records).
"""

import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import accumulate, repeat
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.config import RLDSConfig
from lerobot.dataset_tools.formats.files import SourceFile, episode_files, reading
from lerobot.dataset_tools.formats.images import decode_image
from lerobot.dataset_tools.formats.source import TASK, TEXT, EpisodeGroup, EpisodeSource, SourceField
from lerobot.dataset_tools.formats.tfrecord import RecordFile, parse_example

FEATURES_FILE = "features.json"
INFO_FILE = "dataset_info.json"
RECORD_FILES = "*.tfrecord*"
_STEPS = "steps/"
_TARGETS = {"reward": targets.REWARD, "is_last": targets.DONE}
_INSTRUCTIONS = frozenset({"language_instruction", "natural_language_instruction", "instruction"})
_SHARD = re.compile(r"-(?P<split>[^-.]+)\.tfrecord-(?P<number>\d+)-of-\d+$")
_NUMBERS = frozenset({"none", "zlib", "bytes"})
"""How TensorFlow Datasets encodes tensors: as numbers, or as the bytes of an array for each step."""


class RLDSEpisodes:
    """Episodes of TFRecord files; see `GroupedSource`.

    Files are opened one at a time, when an episode of theirs is read, and stay open for the next one.

    Args:
        files: the files, in order.
        lengths: number of episodes of each file; None where it is not known, so that they are counted.
        description: contents of `features.json`.
        where: name of that file.

    Raises:
        DatasetError: there is no episode, a file is damaged, or the description is of no RLDS dataset.
    """

    def __init__(
        self, files: Sequence[SourceFile], lengths: Sequence[int | None], description: Any, where: str
    ) -> None:
        self._files = files
        self._open: tuple[int, RecordFile] | None = None
        self._last: tuple[int, Mapping[str, Any]] | None = None
        counts = [_count(file) if length is None else length for file, length in zip(files, lengths, strict=True)]
        ends = list(accumulate(counts))
        bounds = list(zip([0, *ends], ends, strict=False))
        self.groups: Sequence[EpisodeGroup] = [
            EpisodeGroup((file.name,), range(*bound)) for file, bound in zip(files, bounds, strict=True)
        ]
        self._places = [(number, record) for number, count in enumerate(counts) for record in range(count)]
        if not self._places:
            raise DatasetError(f"there is no episode beside {where}")
        self.episodes: Sequence[str] = [f"{files[number].name} record {record}" for number, record in self._places]
        self.fps: float | None = None
        self.task: str | None = None
        self._of_episode: set[str] = set()
        self._images: set[str] = set()
        self._encoded: set[str] = set()
        try:
            with reading(where):
                self.fields: Sequence[SourceField] = tuple(self._described(description, where))
        except BaseException:
            self.close()
            raise

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        where = self.episodes[episode]
        values = self._record(episode)
        wanted = [field for field in self.fields if field.name in names]
        lengths = {field.name: self._length(where, field, values) for field in wanted}
        of_steps = {name: length for name, length in lengths.items() if name not in self._of_episode}
        longest = max(of_steps.values(), default=len(values.get(f"{_STEPS}is_first", ())))
        for name, length in of_steps.items():
            if length != longest:
                raise DatasetError(
                    f"{where}: {name} has {length} steps", expected=f"{longest}, as its other fields have"
                )
        columns = [self._column(where, field, values[self._key(field.name)], longest) for field in wanted]
        for frame in zip(*columns, strict=True):
            yield dict(zip(lengths, frame, strict=True))

    def close(self) -> None:
        """Close the file that is open."""
        if self._open is not None:
            self._open[1].close()
        self._open = self._last = None

    def _record(self, episode: int) -> Mapping[str, Any]:
        """The values of an episode; those of the last one are kept, as it may be asked for other fields next."""
        if self._last is None or self._last[0] != episode:
            number, record = self._places[episode]
            if self._open is None or self._open[0] != number:
                self.close()
                self._open = number, RecordFile(self._files[number])
            file = self._open[1]
            self._last = episode, parse_example(file.read(record), self.episodes[episode])
            promised = len(self.groups[number].episodes)
            if record + 1 == promised and file.has(promised):
                raise DatasetError(
                    f"{self._files[number].name} holds more than the {promised} episodes that {INFO_FILE} says",
                    hint=f"without {INFO_FILE} beside the records they are counted",
                )
        return self._last[1]

    def _described(self, description: Any, where: str) -> Iterator[SourceField]:
        top, steps = _features(description, where)
        for prefix, features in (("", steps), ("/", top)):
            for name, feature in _leaves(features, ""):
                if prefix:
                    self._of_episode.add(name)
                field = self._field(name, feature)
                if field is not None:
                    yield field

    def _field(self, name: str, feature: Mapping[str, Any]) -> SourceField | None:
        """A field that can be read; None for what is of another kind, or of no fixed size."""
        if "image" in feature:
            self._images.add(name)
            dtype, shape = self._image(name, feature["image"])
        elif "text" in feature:
            dtype, shape = TEXT, ()
        elif "tensor" in feature and (encoding := str(feature["tensor"].get("encoding", "none")).lower()) in _NUMBERS:
            dtype, shape = _tensor(feature["tensor"])
            if encoding != "none":
                self._encoded.add(name)
        else:
            return None
        if -1 in shape or (dtype == TEXT and shape):
            return None
        target = None if name in self._of_episode else _target(name, dtype, shape)
        return SourceField(name, dtype, shape, target)

    def _image(self, name: str, image: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
        """Type and size of a camera's images; many descriptions leave the size open."""
        dtype, shape = _tensor(image)
        if len(shape) == 3 and -1 not in shape and dtype in ("uint8", "uint16"):
            return dtype, shape
        values = self._record(0).get(self._key(name), ())
        if not len(values):
            raise DatasetError(f"{self.episodes[0]} lacks {name}", expected=f"the images that {FEATURES_FILE} promises")
        first = decode_image(values[0], f"{self.episodes[0]}: {name}")
        return first.dtype.name, first.shape

    def _key(self, name: str) -> str:
        return name if name in self._of_episode else _STEPS + name

    def _length(self, where: str, field: SourceField, values: Mapping[str, Any]) -> int:
        """Number of steps that a field has; 1 for a field of the episode."""
        if (key := self._key(field.name)) not in values:
            raise DatasetError(f"{where} lacks {field.name}", expected=f"the fields that {FEATURES_FILE} promises")
        single = field.name in self._images or field.name in self._encoded
        size = 1 if single else int(np.prod(field.shape, dtype=np.int64))
        length, rest = divmod(len(values[key]), max(size, 1))
        if rest or (field.name in self._of_episode and length != 1):
            raise DatasetError(f"{where}: {field.name} has {len(values[key])} numbers", expected=f"{size} per step")
        return length

    def _column(self, where: str, field: SourceField, values: Any, length: int) -> Iterator[Any]:
        place = f"{where}: {field.name}"
        with reading(place):
            column = self._values(place, field, values)
            return repeat(next(column), length) if field.name in self._of_episode else column

    def _values(self, place: str, field: SourceField, values: Any) -> Iterator[Any]:
        if field.name in self._images:
            return (decode_image(value, place) for value in values)
        if field.dtype == TEXT:
            return iter([value.decode("utf-8") for value in values])
        if field.name in self._encoded:
            return iter([_decoded(value, field) for value in values])
        return iter(np.asarray(values, field.dtype).reshape(-1, *field.shape))


def open_rlds(config: RLDSConfig) -> EpisodeSource:
    """Open a dataset's version folder, such as `bridge/0.1.0`, or one file of it.

    Raises:
        DatasetError: there are no records, or no description of them.
    """
    path = config.path
    folder = path if path.is_dir() else path.parent
    files = of_split([SourceFile.here(file) for file in episode_files(path, (RECORD_FILES,))], config.split, str(path))
    description_file = folder / FEATURES_FILE
    with reading(str(description_file), "the folder of a version, with records and their description"):
        description = read_json(description_file)
    lengths: Mapping[tuple[str, int], int] = {}
    if (info := folder / INFO_FILE).is_file():
        with reading(str(info)):
            lengths = shard_lengths(read_json(info))
    return RLDSEpisodes(files, lengths_of(files, lengths), description, str(description_file))


def of_split(files: Sequence[SourceFile], split: str | None, where: str) -> Sequence[SourceFile]:
    """The files of a split; all if None.

    Raises:
        DatasetError: no file is named after it.
    """
    found = [file for file in files if split is None or f"-{split}." in file.name.rpartition("/")[2]]
    if not found:
        raise DatasetError(f"{where} has no split {split!r}", expected="a split that files are named after")
    return found


def shard_lengths(info: Any) -> dict[tuple[str, int], int]:
    """Number of episodes of each file, by split and number of the file, as `dataset_info.json` says."""
    return {
        (str(split["name"]), number): int(length)
        for split in info.get("splits", ())
        for number, length in enumerate(split.get("shardLengths", ()))
    }


def lengths_of(files: Sequence[SourceFile], lengths: Mapping[tuple[str, int], int]) -> list[int | None]:
    """Number of episodes of each file; None where it is not said."""
    found = [_SHARD.search(file.name) for file in files]
    return [lengths.get((match["split"], int(match["number"]))) if match else None for match in found]


def _count(file: SourceFile) -> int:
    with closing(RecordFile(file)) as records:
        return records.count()


def _decoded(value: bytes, field: SourceField) -> Any:
    """An array that was stored as its bytes, compressed or not."""
    size = np.dtype(field.dtype).itemsize * int(np.prod(field.shape, dtype=np.int64))
    content = value if len(value) == size else zlib.decompressobj().decompress(value, size)
    return np.frombuffer(content, np.dtype(field.dtype).newbyteorder("<")).reshape(field.shape).astype(field.dtype)


def _features(description: Any, where: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Features of an episode beside its steps, and those of a step."""
    try:
        top = dict(description["featuresDict"]["features"])
        steps = top.pop("steps")["sequence"]["feature"]["featuresDict"]["features"]
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{where} describes no steps", expected="the description of an RLDS dataset") from error
    return top, dict(steps)


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
