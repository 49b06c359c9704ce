"""A dataset that can be edited, shared out and saved elsewhere, by methods."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, overload

from numpy.typing import ArrayLike

from lerobot.core.errors import DatasetError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.datasets.dataset.edits import dataset_edit
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.dataset.subset import FrameSubset
from lerobot.datasets.dataset.views import split_episodes, subset
from lerobot.datasets.hub.copies import commit_of, in_cache

_READ = ("_reader", "_ends", "_shifts")


class EditableDataset(FrameDataset):
    """Frames of a dataset, and what can be done with the whole of it.

    Edits come from an installed package, see `dataset_edit`. Each is checked first, built aside and put in place in one
    step; the state before stays beside the dataset as `<name>_old`. A copy of a dataset on the Hub, which never
    changes, is edited into `$HF_LEROBOT_HOME/<repo_id>`, where it is found from then on.

    What was made of the dataset before an edit (slices, parts, other objects) is of the state before it.
    """

    def __getattr__(self, name: str) -> Any:
        """Open the reader, when it is first used after the files changed."""
        if name not in _READ:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._open_reader()
        return self.__dict__[name]

    # --- parts -------------------------------------------------------------------------------------------------------

    def get_episode(self, episode_index: int) -> FrameSubset:
        """The frames of one episode, which are read when they are used.

        Raises:
            DatasetError: it is not among the chosen episodes.
        """
        return subset(self, [episode_index])

    @overload
    def split(self, fractions: Sequence[float]) -> list[Self]: ...

    @overload
    def split(self, fractions: Mapping[str, float]) -> dict[str, Self]: ...

    def split(self, fractions: Sequence[float] | Mapping[str, float]) -> list[Self] | dict[str, Self]:
        """Share the chosen episodes out, whole and in order, without writing anything.

        Args:
            fractions: share of each part, such as `[0.8, 0.2]` or `{"train": 0.8, "val": 0.2}`; see `split_episodes`.

        Returns:
            A dataset for each part, by its place or its name; `save` makes it one of its own.

        Raises:
            DatasetError: a fraction is not positive, they sum to more than 1, or a part would have no episode.
        """
        named = fractions if isinstance(fractions, Mapping) else {str(i): each for i, each in enumerate(fractions)}
        shares = split_episodes(self.episode_indices.tolist(), named)
        if empty := [name for name, episodes in shares.items() if not episodes]:
            raise DatasetError(
                f"part {empty[0]} gets no episode: {named[empty[0]]:g} of {self.num_episodes} is less than one",
                expected="larger fractions, or fewer parts",
            )
        parts = {name: self._like(copy.copy(self.meta), episodes) for name, episodes in shares.items()}
        return parts if isinstance(fractions, Mapping) else list(parts.values())

    def save(self, path: str | Path, repo_id: str | None = None) -> Self:
        """Write the chosen episodes as a dataset of its own, which is complete from the first instant it can be seen.

        Args:
            path: its folder; must not exist or be empty.
            repo_id: its name; that of the folder if None.

        Returns:
            The new dataset, read in the same way.

        Raises:
            DatasetError: the folder holds something or cannot be written.
        """
        self.fetch_missing(videos=True)
        folder = user_path(path)
        dataset_edit("keep_episodes")(self.root, self.episode_indices.tolist(), new_root=folder)
        return self._like(LeRobotDatasetMetadata(repo_id or folder.name, folder))

    # --- edits -------------------------------------------------------------------------------------------------------

    def delete_episodes(self, episode_indices: Sequence[int] = (), *, where: str | Sequence[str] = ()) -> Self:
        """Leave episodes out; the others are numbered anew and keep every value and image.

        Args:
            episode_indices: numbers of those to delete.
            where: conditions that those to delete meet, all of them, such as `"outcome == failure"`; see the page
                "Edit a dataset".

        Returns:
            This dataset.

        Raises:
            DatasetError: an episode does not exist, or none would remain; nothing was changed.
        """
        return self._edited("delete_episodes", list(episode_indices), where=where)

    def add_feature(
        self,
        name: str,
        dtype: str = "float32",
        shape: Sequence[int] = (1,),
        values: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Add a column, with its statistics.

        Args:
            name: of the feature.
            dtype: a number type, or `"string"`.
            shape: of the value of a frame.
            values: `(frames, *shape)`, in order of the frames; or one value of `shape` for all of them. Zeros, or empty
                texts, if None.
            names: of the elements.

        Returns:
            This dataset.

        Raises:
            FeatureMismatchError: the name is taken, or the values do not fit the declaration; nothing was changed.
        """
        return self._edited("add_feature", name, dtype=dtype, shape=tuple(shape), values=values, names=names)

    def remove_feature(self, feature_names: str | Sequence[str]) -> Self:
        """Leave columns or cameras out.

        Args:
            feature_names: one name, or several.

        Returns:
            This dataset.

        Raises:
            FeatureMismatchError: a name is unknown, or every dataset has the feature; nothing was changed.
        """
        removed = [feature_names] if isinstance(feature_names, str) else list(feature_names)
        edited = self._edited("remove_feature", removed)
        self._read_as(dict.fromkeys(removed))
        return edited

    def rename_feature(self, name: str, new_name: str) -> Self:
        """Give a column or a camera another name; values, images and statistics stay as they are.

        Args:
            name: of now.
            new_name: of then.

        Returns:
            This dataset.

        Raises:
            FeatureMismatchError: the name is unknown, or the new one is taken; nothing was changed.
        """
        edited = self._edited("rename_feature", {name: new_name})
        self._read_as({name: new_name})
        return edited

    def _edited(self, edit: str, *arguments: Any, **settings: Any) -> Self:
        """Carry an edit out, and read from then on what it made."""
        carry_out = dataset_edit(edit)
        self._check_can_change()
        place = lerobot_home() / self.repo_id if in_cache(self.root) else None
        self.fetch_missing(videos=True)
        self.meta.root = carry_out(self.root, *arguments, new_root=place, **settings).root
        self._forget()
        return self

    def _check_can_change(self) -> None:
        """Refuse to change a dataset of which only a part is chosen: its numbers would mean other episodes.

        Raises:
            DatasetError: a part is chosen.
        """
        if self.episodes is not None:
            raise DatasetError(
                f"{self.repo_id} is opened with {self.num_episodes} of its episodes, but only a whole one is changed",
                hint="Make the part a dataset of its own first: part = part.save(FOLDER)",
            )

    def fetch_missing(self, *, videos: bool) -> None:
        """Download what a copy of a dataset on the Hub lacks of the chosen episodes."""
        if commit_of(self.root) is None:
            return
        # Only here: reading what is on this computer needs no network library.
        from lerobot.datasets.hub.pull import episode_files, fetch_files

        files = episode_files(self.meta.info, self.meta.episodes, self.episodes, videos=videos)
        fetch_files(self.root, self.repo_id, files)

    def _read_as(self, names: Mapping[str, str | None]) -> None:
        """Let the windows that are read follow their features, which have other names now or are gone."""
        windows = self.delta_timestamps or {}
        kept = {names.get(key, key): window for key, window in windows.items()}
        self.delta_timestamps = {key: window for key, window in kept.items() if key is not None} or None

    def _like(self, meta: LeRobotDatasetMetadata, episodes: list[int] | None = None) -> Self:
        """A dataset that is read in the same way."""
        other = copy.copy(self)
        other.meta, other.episodes, other._memory = meta, episodes, None
        other._forget_reader()
        return other

    def _forget(self) -> None:
        """Drop what was read before the files changed.

        It is read again when somebody asks, since reading all episodes after each one would make long recordings slow.
        """
        self.meta.forget()
        self._forget_reader()

    def _forget_reader(self) -> None:
        for name in (*_READ, "hf_dataset"):
            self.__dict__.pop(name, None)
