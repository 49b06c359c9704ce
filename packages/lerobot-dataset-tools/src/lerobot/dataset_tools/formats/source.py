"""What an importer of a format gives: episodes, frame by frame, with what each frame holds."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

TASK: Final = "task"
"""Target of the field with the instruction in words."""

TEXT: Final = "text"
"""`SourceField.dtype` of texts."""


@dataclass(frozen=True, slots=True)
class SourceField:
    """One thing that every frame of a source holds.

    Attributes:
        name: its place in the source, such as `obs/agentview_image`.
        dtype: name of a numpy type, or `TEXT`.
        shape: of one frame's value; `()` for single numbers and texts.
        target: feature it becomes unless the user says otherwise, or `TASK`; None if it is left out.
        names: of its elements, if the source says them.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    target: str | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EpisodeGroup:
    """Episodes that are read from the same files, which one worker should read.

    Attributes:
        files: names of the files.
        episodes: numbers of the episodes in them.
        choice: what `files` of the configuration calls them, where a worker that opens the whole source would look at
            too much; it opens these alone.
    """

    files: tuple[str, ...]
    episodes: range
    choice: tuple[str, ...] = ()


class EpisodeSource(Protocol):
    """An open recording of another format.

    Episodes are numbered in an order that is the same each time the source is opened, so that a conversion that was
    cut off can go on.

    Attributes:
        fields: what its frames hold.
        episodes: name of each episode, for messages; as many as there are.
        fps: frames per second, if the source says so.
        task: instruction of every episode, if the source has one for all.
    """

    fields: Sequence[SourceField]
    episodes: Sequence[str]
    fps: float | None
    task: str | None

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """Give the frames of an episode in order, holding no more of them in memory than a block.

        Args:
            episode: its number.
            names: fields that are wanted; others are not read.

        Yields:
            Per field an array of its dtype and shape, or a text.

        Raises:
            DatasetError: the episode is damaged, lacks a field, or its fields have different lengths.
        """
        ...

    def close(self) -> None:
        """Close the files; the source cannot be read any more."""
        ...


@runtime_checkable
class GroupedSource(EpisodeSource, Protocol):
    """A source of several files that says, without reading them, which episodes are in which.

    Attributes:
        groups: together all episodes, in order.
    """

    groups: Sequence[EpisodeGroup]
