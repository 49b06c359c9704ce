"""`LeRobotDataset`: the name users know, for reading and for recording."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lerobot.core.errors import DatasetError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.core.words import counted
from lerobot.datasets.dataset.editable import EditableDataset
from lerobot.datasets.dataset.edits import dataset_edit
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.depth import DepthUnit
from lerobot.datasets.format.layout import DEFAULT_DATA_FILES_SIZE_IN_MB, DEFAULT_VIDEO_FILES_SIZE_IN_MB
from lerobot.datasets.hub.copies import in_cache
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder, SavedEpisode

if TYPE_CHECKING:
    import datasets

__all__ = ["LeRobotDataset", "LeRobotDatasetMetadata", "merge_datasets"]

_NOT_NEEDED = frozenset(
    {
        "batch_encoding_size",
        "force_cache_sync",
        "image_writer_processes",
        "image_writer_threads",
        "metadata_buffer_size",
        "revision",
        "streaming_encoding",
        "token",
        "tolerance_s",
        "video_backend",
    }
)


class LeRobotDataset(EditableDataset):
    """Demonstrations of a robot, in one folder.

    Reads v3.x, and v2.0 and v2.1 in place. `dataset[i]` has, in this order, cameras `(C, H, W)` float32 in [0, 1], the
    columns as tensors (numbers of shape (1,) as 0-dimensional ones), `<key>_is_pad` for each window, and `task`.

    Args:
        repo_id: name of the dataset, `owner/name`.
        root: its folder; `$HF_LEROBOT_HOME/<repo_id>` if None.
        episodes: numbers of the episodes to read, all if None.
        episode_filter: keeps the episodes for whose row of the episodes table it returns true.
        image_transforms: applied to the images of each colour camera, `uint8` ones too; one draw per window.
        delta_timestamps: per feature, seconds relative to each frame; adds a leading axis of that many frames, whose
            members beyond the episode repeat its first or last frame and are marked in `<key>_is_pad`.
        tolerance_s: largest distance of those seconds from whole frames.
        revision: tag, branch or commit on the Hub, for a dataset that is not on this computer.
        force_cache_sync: ask the Hub whether a copy of it is the newest version.
        download_videos: fetch the videos of a dataset on the Hub too.
        video_backend: `"torchcodec"` or `"pyav"`, which give the same images; the first that works if None.
        return_uint8: leave colour video images as `uint8`.
        depth_output_unit: `"m"` or `"mm"`.
        in_memory: keep the images of videos once they are decoded; they have to fit, as bytes.

    Raises:
        DatasetError: there is no dataset, it is damaged, or of an unknown version; an episode does not exist.
        FeatureMismatchError: `delta_timestamps` does not fit the dataset.
    """

    def __init__(
        self,
        repo_id: str,
        root: str | Path | None = None,
        episodes: Sequence[int] | None = None,
        episode_filter: Callable[[dict[str, Any]], bool] | None = None,
        image_transforms: Callable[[Any], Any] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None,
        tolerance_s: float = 1e-4,
        revision: str | None = None,
        force_cache_sync: bool = False,
        download_videos: bool = True,
        *,
        video_backend: str | None = None,
        return_uint8: bool = False,
        depth_output_unit: DepthUnit = "mm",
        in_memory: bool = False,
    ) -> None:
        meta = LeRobotDatasetMetadata(repo_id, root, revision, force_cache_sync)
        if episode_filter is not None:
            chosen = set(range(meta.total_episodes) if episodes is None else episodes)
            episodes = [i for i, row in enumerate(meta.episodes) if i in chosen and episode_filter(row)]
        self._recorder: DatasetRecorder | None = None
        super().__init__(
            meta,
            episodes=episodes,
            image_transforms=image_transforms,
            delta_timestamps=delta_timestamps,
            tolerance_s=tolerance_s,
            return_uint8=return_uint8,
            depth_output_unit=depth_output_unit,
            video_backend=video_backend,
            in_memory=in_memory,
        )
        self.fetch_missing(videos=download_videos)

    @cached_property
    def hf_dataset(self) -> "datasets.Dataset":
        """The columns of the chosen episodes as a dataset of the `datasets` library, made when first asked for."""
        from lerobot.datasets.dataset.hugging_face import to_hugging_face

        return to_hugging_face(self.meta, self.episode_indices)

    def select_columns(self, column_names: str | list[str]) -> "datasets.Dataset":
        """Some columns of the chosen episodes, such as the actions to replay."""
        return self.hf_dataset.select_columns(column_names)

    def push_to_hub(
        self,
        branch: str | None = None,
        tags: Sequence[str] | None = None,
        license: str | None = "apache-2.0",  # noqa: A002 # the name users know
        tag_version: bool = True,
        push_videos: bool = True,
        private: bool | None = None,
        allow_patterns: Sequence[str] | str | None = None,
        upload_large_folder: bool = False,  # noqa: ARG002 # every upload continues where it was cut off
        *,
        repo_id: str | None = None,
        **card_kwargs: Any,
    ) -> str:
        """Upload the dataset to the Hub, in one commit; see `lerobot.datasets.hub.push.push`.

        It goes whole, also where only some of its episodes are chosen; `save` makes a dataset of those.

        Args:
            branch: branch to commit to; `main` if None.
            tags: of the dataset card, beside `LeRobot`.
            license: licence on the card.
            tag_version: move the tag of the format's version to this commit.
            push_videos: upload videos.
            private: whether only the owner may see a new repository.
            allow_patterns: upload only files that match one of these.
            upload_large_folder: accepted, and not needed: every upload continues where the last one was cut off.
            repo_id: where to, `owner/name`; the dataset's own name if None.
            **card_kwargs: further entries of the card.

        Returns:
            Address of the commit.

        Raises:
            DatasetError: the Hub cannot be reached or refused it, files of the dataset are missing, or a part of it is
                to go under another name.
        """
        if self.episodes is not None and repo_id not in (None, self.repo_id):
            raise DatasetError(
                f"{self.num_episodes} episodes of {self.repo_id} are no dataset that could be uploaded as {repo_id}",
                hint="Make them one first: part.save(FOLDER, repo_id=NAME).push_to_hub()",
            )
        from lerobot.datasets.hub.push import push

        return push(
            self.root,
            repo_id or self.repo_id,
            branch=branch,
            tags=tags,
            license_name=license,
            tag_version=tag_version,
            push_videos=push_videos,
            private=private,
            allow_patterns=allow_patterns,
            **card_kwargs,
        )

    # --- recording ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        repo_id: str,
        fps: float,
        features: Mapping[str, Any],
        root: str | Path | None = None,
        robot_type: str | None = None,
        use_videos: bool = True,
        *,
        options: WritingOptions | None = None,
        video_files_size_in_mb: int | None = None,
        data_files_size_in_mb: int | None = None,
        **settings: Any,
    ) -> Self:
        """Begin a new dataset; see `DatasetRecorder.create`.

        Args:
            repo_id: name of the dataset.
            fps: frames per second.
            features: declarations of the user's features.
            root: folder to create; `$HF_LEROBOT_HOME/<repo_id>` if None.
            robot_type: name of the robot.
            use_videos: store cameras declared as video as video; as images if false.
            options: encoders and queues.
            video_files_size_in_mb: size of video files after `finalize`.
            data_files_size_in_mb: size of data files after `finalize`.
            **settings: single fields of `WritingOptions`, such as `rgb_encoder`; arguments of huggingface/lerobot that
                choose how images get to the encoder are accepted and not needed, since they always go directly.

        Raises:
            DatasetError: the folder holds something, cannot be written, or an encoder does not start.
            FeatureMismatchError: a declaration is wrong; names it.
        """
        if not use_videos:
            features = {key: _as_image(feature) for key, feature in features.items()}
        folder = user_path(root) if root is not None else lerobot_home() / repo_id
        recorder = DatasetRecorder.create(
            folder,
            fps,
            features,
            robot_type=robot_type,
            options=_writing_options(options, settings),
            data_files_size_in_mb=data_files_size_in_mb or DEFAULT_DATA_FILES_SIZE_IN_MB,
            video_files_size_in_mb=video_files_size_in_mb or DEFAULT_VIDEO_FILES_SIZE_IN_MB,
        )
        return cls._recording(repo_id, recorder)

    @classmethod
    def resume(
        cls,
        repo_id: str,
        root: str | Path | None = None,
        *,
        features: Mapping[str, Any] | None = None,
        options: WritingOptions | None = None,
        **settings: Any,
    ) -> Self:
        """Continue an existing dataset; see `DatasetRecorder.resume`, and `create` for `options` and `settings`."""
        folder = user_path(root) if root is not None else lerobot_home() / repo_id
        chosen = _writing_options(options, settings)
        return cls._recording(repo_id, DatasetRecorder.resume(folder, features=features, options=chosen))

    @classmethod
    def _recording(cls, repo_id: str, recorder: DatasetRecorder) -> Self:
        dataset = cls(repo_id, recorder.root)
        dataset._recorder = recorder
        return dataset

    @property
    def recorder(self) -> DatasetRecorder:
        """What writes this dataset.

        Raises:
            DatasetError: it was opened for reading.
        """
        if self._recorder is None:
            raise DatasetError(
                f"{self.repo_id} was opened for reading", hint="Open it with LeRobotDataset.create or .resume"
            )
        return self._recorder

    def add_frame(self, frame: Mapping[str, Any]) -> None:
        """Add a frame to the episode in progress; see `DatasetRecorder.add_frame`."""
        self.recorder.add_frame(frame)

    def save_episode(self) -> SavedEpisode:
        """Make the episode in progress durable; its frames can be read at once."""
        saved = self.recorder.save_episode()
        self._forget()
        return saved

    def add_episode(self, frames: Iterable[Mapping[str, Any]], task: str | None = None) -> SavedEpisode:
        """Add an episode of which all frames are known; it is durable when this returns, and read at once.

        Args:
            frames: as `add_frame` takes them, in order.
            task: instruction in words, where the frames do not have one.

        Raises:
            FeatureMismatchError: a frame does not fit; nothing was added.
            DatasetError: there is no frame, another episode is in progress, or it cannot be written.
        """
        recorder = self._recorder
        if recorder is None or not recorder.is_open:
            self._check_can_change()
            if in_cache(self.root):
                raise DatasetError(
                    f"{self.root} is a copy of {self.repo_id} on the Hub, which never changes",
                    hint="Make it a dataset of its own first: dataset = dataset.save(FOLDER)",
                )
            recorder = DatasetRecorder.resume(self.root)
        try:
            if recorder.episode_length:
                raise DatasetError("an episode is in progress", hint="Call save_episode() or clear_episode_buffer().")
            saved = _record(recorder, frames, task)
        finally:
            if recorder is not self._recorder:
                recorder.close()
        self._forget()
        return saved

    def clear_episode_buffer(self) -> None:
        """Forget the episode in progress."""
        self.recorder.clear_episode_buffer()

    def finalize(self) -> None:
        """End the recording and join small files; see `DatasetRecorder.finalize`."""
        if self._recorder is not None:
            self._recorder.finalize()
            self._forget()

    def _check_can_change(self) -> None:
        super()._check_can_change()
        if self._recorder is not None:
            if self._recorder.episode_length:
                raise DatasetError(
                    f"an episode of {self.repo_id} is in progress",
                    hint="Call save_episode() or clear_episode_buffer().",
                )
            self.finalize()

    def __getstate__(self) -> dict[str, Any]:
        """For another process, where it can be read but not written."""
        return {**self.__dict__, "_recorder": None}


def merge_datasets(
    datasets: Sequence[EditableDataset],
    output_repo_id: str | None = None,
    output_dir: str | Path | None = None,
) -> LeRobotDataset:
    """Write the episodes of several datasets one after another into a new one.

    Args:
        datasets: two or more, in order; of one of which only some episodes are chosen, only those.
        output_repo_id: name of the result; that of the first one with `_merged` if None.
        output_dir: its folder; `$HF_LEROBOT_HOME/<output_repo_id>` if None.

    Raises:
        DatasetError: rate or robot differ, or the folder is taken; nothing was written.
        FeatureMismatchError: features differ; names each.
    """
    if len(datasets) < 2:
        raise DatasetError(f"{counted(len(datasets), 'dataset')} to merge", expected="two or more")
    name = output_repo_id or f"{datasets[0].repo_id}_merged"
    folder = user_path(output_dir) if output_dir is not None else lerobot_home() / name
    for dataset in datasets:
        dataset.fetch_missing(videos=True)
    roots = [dataset.root for dataset in datasets]
    dataset_edit("merge")(roots, episodes=[dataset.episodes for dataset in datasets], new_root=folder)
    return LeRobotDataset(name, folder)


def _record(recorder: DatasetRecorder, frames: Iterable[Mapping[str, Any]], task: str | None) -> SavedEpisode:
    try:
        for frame in frames:
            recorder.add_frame(frame, None if "task" in frame else task)
        return recorder.save_episode()
    except BaseException:
        recorder.clear_episode_buffer()
        raise


def _writing_options(options: WritingOptions | None, settings: dict[str, Any]) -> WritingOptions:
    """Options from single settings, by the names users of huggingface/lerobot know."""
    fields = {key: value for key, value in settings.items() if key not in _NOT_NEEDED and value is not None}
    if unknown := sorted(fields.keys() - WritingOptions.model_fields.keys()):
        raise TypeError(f"unexpected argument {', '.join(unknown)}; known are {', '.join(WritingOptions.model_fields)}")
    return (options or WritingOptions()).model_copy(update=fields)


def _as_image(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**feature, "dtype": "image"} if feature.get("dtype") == "video" else feature
