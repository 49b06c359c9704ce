"""`StreamingLeRobotDataset`: frames in a shuffled order without the dataset on disk or in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata, MetadataFacts
from lerobot.datasets.dataset.subset import Item
from lerobot.datasets.format.depth import DepthUnit
from lerobot.datasets.hub.copies import commit_of
from lerobot.datasets.hub.errors import hub_errors, reach_hub
from lerobot.datasets.hub.pull import episode_files, fetch_files
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.reader import FrameReader
from lerobot.datasets.reader.tensors import to_tensors
from lerobot.datasets.reader.windows import parse_windows
from lerobot.datasets.stream.files import EpisodeFiles, HubFiles, LocalFiles
from lerobot.datasets.stream.plan import Consumer, EpisodePool, batches_of, consumed_by_each
from lerobot.datasets.stream.progress import MOST_WORKERS, Progress
from lerobot.datasets.stream.rows import ResidentRows
from lerobot.datasets.stream.store import EpisodeStore


class StreamingLeRobotDataset(MetadataFacts, torch.utils.data.IterableDataset[Item]):
    """The frames of a dataset, each exactly once per epoch over all processes and workers.

    Every consumer (a worker of a process) has episodes of its own and a pool of a few of them, from all of whose frames
    the next one is drawn. Items equal those of `LeRobotDataset`, windows included; images are decoded when their item
    is given. A dataset on this computer is read where it is. Of one on the Hub only the metadata is kept; the files of
    the pool's episodes are fetched ahead, and removed when no episode in the pool needs them.

    Each iteration is the next epoch. An order depends on (seed, epoch, rank, worker) alone.

    Args:
        repo_id: name of the dataset, `owner/name`.
        root: its folder; see `LeRobotDataset`.
        episodes: numbers of the episodes to read, all if None.
        image_transforms: applied to the images of each colour camera.
        delta_timestamps: frames around each frame, by feature, in seconds.
        tolerance_s: largest distance of those from whole frames.
        revision: tag, branch or commit on the Hub.
        force_cache_sync: ask the Hub whether the copy of the metadata is the newest version.
        streaming: false fetches every file before the first item, and keeps them.
        buffer_size: accepted, and not needed: `episode_pool_size` says how much is shuffled.
        max_num_shards: accepted, and not needed: any number of workers gets episodes.
        seed: of the orders.
        rng: draws the seed, if given.
        shuffle: false gives the frames of each consumer in ascending order.
        return_uint8: leave colour video images as `uint8`.
        depth_output_unit: unit of depth.
        episode_pool_size: most episodes whose rows a consumer holds.
        prefetch_episodes: episodes beyond the pool whose files are fetched ahead.
        drop_n_last_frames: frames at the end of each episode that are not given, but are seen in windows.
        rank: this process; that of `torch.distributed` if None.
        world_size: processes; that of `torch.distributed` if None.
        token: access token of the Hub; the one of `hf auth login` if None.

    Raises:
        DatasetError: there is no dataset, an episode does not exist, or a size is out of range.
        FeatureMismatchError: `delta_timestamps` does not fit the dataset.
    """

    def __init__(
        self,
        repo_id: str,
        root: str | Path | None = None,
        episodes: Sequence[int] | None = None,
        image_transforms: Callable[[Any], Any] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None,
        tolerance_s: float = 1e-4,
        revision: str | None = None,
        force_cache_sync: bool = False,
        streaming: bool = True,
        buffer_size: int = 1000,  # noqa: ARG002 # see above
        max_num_shards: int = 16,  # noqa: ARG002 # see above
        seed: int = 42,
        rng: np.random.Generator | None = None,
        shuffle: bool = True,
        return_uint8: bool = False,
        depth_output_unit: DepthUnit = "mm",
        *,
        episode_pool_size: int = 16,
        prefetch_episodes: int = 2,
        drop_n_last_frames: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        token: str | None = None,
    ) -> None:
        super().__init__()
        _check_sizes(episode_pool_size, prefetch_episodes, drop_n_last_frames)
        self.meta = LeRobotDatasetMetadata(repo_id, root, revision, force_cache_sync)
        self.image_transforms = image_transforms
        self.delta_timestamps = delta_timestamps
        self.tolerance_s = tolerance_s
        self.seed = seed if rng is None else int(rng.integers(2**32))
        self.shuffle = shuffle
        self.return_uint8 = return_uint8
        self.depth_output_unit: DepthUnit = depth_output_unit
        self.episode_pool_size = episode_pool_size
        self.prefetch_episodes = prefetch_episodes
        self._token = token
        self._processes = (rank, world_size)
        self._windows = parse_windows(delta_timestamps, self.meta.features, self.meta.fps, tolerance_s)
        self.episodes = _chosen(episodes, self.meta)
        # Frames to give of every episode of the dataset, chosen or not.
        self._lengths: NDArray[np.int64] = np.maximum(self.meta.episodes.column("length") - drop_n_last_frames, 0)
        self._progress = Progress()
        self._num_workers: int | None = None
        # Epoch, batches, batch size and drop_last of where this object itself is; its copies in workers do not tell.
        self._place: tuple[int, int, int, bool] = (0, 0, 1, False)
        if not streaming:
            files = episode_files(self.meta.info, self.meta.episodes, self.episodes.tolist())
            fetch_files(self.meta.root, repo_id, files, token)

    # --- what it holds -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Frames of an epoch, over all processes and workers."""
        return int(self._lengths[self.episodes].sum())

    @property
    def num_frames(self) -> int:
        """Frames of an epoch."""
        return len(self)

    @property
    def num_episodes(self) -> int:
        """Chosen episodes."""
        return len(self.episodes)

    # --- where it is -------------------------------------------------------------------------------------------------

    def set_epoch(self, epoch: int) -> None:
        """Make an epoch the next one, from its beginning."""
        self._progress.set(epoch)
        self._place = (epoch, 0, 1, False)

    def state_dict(
        self, batches_consumed: int | None = None, batch_size: int = 1, *, num_workers: int = 0, drop_last: bool = False
    ) -> dict[str, Any]:
        """Where to continue.

        Args:
            batches_consumed: batches that this process has taken from its DataLoader since the first epoch began;
                without it, what was taken from this object itself, which workers do not tell.
            batch_size: of the DataLoader.
            num_workers: of the DataLoader.
            drop_last: of the DataLoader.
        """
        rank, world_size = self._rank()
        epoch = 0
        if batches_consumed is None:
            epoch, batches_consumed, batch_size, drop_last = self._place
        return {
            "epoch": epoch,
            "batches_consumed": batches_consumed,
            "batch_size": batch_size,
            "drop_last": drop_last,
            "num_workers": num_workers,
            "rank": rank,
            "world_size": world_size,
            "seed": self.seed,
            "episode_pool_size": self.episode_pool_size,
            "episodes": len(self.episodes),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; only `batches_consumed` and `batch_size` must be in it.

        Nothing is read or decoded to get there.

        Raises:
            DatasetError: the state is of another order: seed, pool, episodes or processes differ.
        """
        own = self.state_dict()
        for key in ("seed", "episode_pool_size", "episodes", "rank", "world_size"):
            if key in state and state[key] != own[key]:
                raise DatasetError(
                    f"the state has {key} {state[key]}, this dataset {own[key]}",
                    hint="Continue with the settings of the run that was stopped, or begin a new epoch.",
                )
        self._num_workers = state.get("num_workers")
        epoch, batches, size = (int(state.get("epoch", 0)), int(state["batches_consumed"]), int(state["batch_size"]))
        drop_last = bool(state.get("drop_last", False))
        self._progress.set(epoch, batches, size, drop_last=drop_last)
        self._place = (epoch, batches, size, drop_last)

    def _rank(self) -> tuple[int, int]:
        rank, world_size = self._processes
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if rank is None:
            rank = torch.distributed.get_rank() if distributed else 0
        if world_size is None:
            world_size = torch.distributed.get_world_size() if distributed else 1
        if not 0 <= rank < world_size:
            raise DatasetError(f"rank {rank} of {world_size} processes", expected=f"0 to {world_size - 1}")
        return rank, world_size

    def __getstate__(self) -> dict[str, Any]:
        """For a worker, which does not know the processes of the training."""
        return {**self.__dict__, "_processes": self._rank()}

    # --- iteration ---------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Item]:
        """The frames of this consumer in the next epoch.

        Raises:
            DatasetError: a file is missing, damaged or cannot be fetched.
        """
        worker = torch.utils.data.get_worker_info()
        number, workers = (0, 0) if worker is None else (worker.id, worker.num_workers)
        if workers > MOST_WORKERS:
            raise DatasetError(f"{workers} workers", expected=f"at most {MOST_WORKERS}")
        epoch, batches, batch_size, drop_last = self._progress.get(number)
        if batches and self._num_workers not in {None, workers}:
            raise DatasetError(
                f"the state is of {self._num_workers} workers, the DataLoader has {workers}",
                expected="the same number, or the order of the batches is another",
            )
        epoch, role, skipped = self._resume(epoch, batches, batch_size, number, max(workers, 1), drop_last=drop_last)
        self._progress.move_on(number, epoch + 1)
        return self._frames(epoch, self._consumer(role, workers), skipped)

    def _consumer(self, worker: int, workers: int) -> Consumer:
        return Consumer(*self._rank(), worker, max(workers, 1))

    def _share(self, consumer: Consumer, epoch: int) -> NDArray[np.int64]:
        episodes = self.episodes[self._lengths[self.episodes] > 0]
        return consumer.share(episodes, self.seed, epoch, shuffle=self.shuffle)

    def _resume(
        self, epoch: int, batches: int, batch_size: int, worker: int, workers: int, *, drop_last: bool
    ) -> tuple[int, int, int]:
        """Epoch to begin in, worker to act as in it, and frames of that one to pass over."""
        while batches:
            frames = [
                int(self._lengths[self._share(self._consumer(other, workers), epoch)].sum()) for other in range(workers)
            ]
            there_are = [batches_of(count, batch_size, drop_last=drop_last) for count in frames]
            if not sum(there_are):
                raise DatasetError(f"an epoch has no batch of {batch_size} frames", expected="a smaller batch_size")
            if batches < sum(there_are):
                done, turn = consumed_by_each(there_are, batches)
                # A DataLoader always asks its first worker first, so that one takes the part of whose turn it is.
                role = (worker + turn) % workers
                return epoch, role, min(done[role] * batch_size, frames[role])
            batches -= sum(there_are)
            epoch += 1
        return epoch, worker, 0

    def _frames(self, epoch: int, consumer: Consumer, skipped: int) -> Iterator[Item]:
        pool = EpisodePool(
            self._share(consumer, epoch).tolist(),
            self.meta.episodes.column("dataset_from_index"),
            self._lengths,
            self.episode_pool_size,
            consumer.generator(self.seed, epoch) if self.shuffle else None,
        )
        for _ in range(skipped):
            pool.draw()
        self._place = (epoch, skipped, 1, False)
        rows, files, reader = self._open()
        store = EpisodeStore(self.meta.info, self.meta.episodes, rows, files)
        try:
            while (drawn := pool.draw()) is not None:
                episode, position = drawn
                if store.resident != pool.resident:
                    store.hold(pool.resident, pool.upcoming(self.prefetch_episodes), first=episode)
                store.prepare(episode)
                columns = reader.read_columns(np.array([position], np.int64))
                (item,) = to_tensors(
                    columns, self.features, return_uint8=self.return_uint8, transforms=self.image_transforms
                )
                skipped += 1
                self._place = (epoch, skipped, 1, False)
                yield item
            self._place = (epoch + 1, 0, 1, False)
        finally:
            reader.videos.close()
            files.close()

    def _open(self) -> tuple[ResidentRows, EpisodeFiles, FrameReader]:
        meta, files = self.meta, self._files()
        rows = ResidentRows(meta.info, meta.episodes)
        videos = EpisodeVideos(files.root, meta.info, meta.episodes, self.tolerance_s, backend=None)
        if isinstance(files, HubFiles):
            files.before_removal = videos.discard
        reader = FrameReader(
            meta.root,
            meta.info,
            meta.episodes,
            meta.tasks,
            windows=self._windows,
            depth_unit=self.depth_output_unit,
            numbers=rows,
            objects=rows,
            videos=videos,
        )
        return rows, files, reader

    def _files(self) -> EpisodeFiles:
        commit = commit_of(self.root)
        if commit is None:
            return LocalFiles(self.root)
        wanted = episode_files(self.meta.info, self.meta.episodes, self.episodes.tolist())
        if all((self.root / path).exists() for path in wanted):
            return LocalFiles(self.root)
        with hub_errors(f"{self.repo_id} could not be streamed"):
            reach_hub()
        return HubFiles(self.repo_id, commit, self.root, self._token)


def _check_sizes(pool: int, prefetch: int, drop: int) -> None:
    if pool < 1:
        raise DatasetError(f"episode_pool_size is {pool}", expected="1 or more")
    if prefetch < 0 or drop < 0:
        raise DatasetError(f"prefetch_episodes is {prefetch}, drop_n_last_frames {drop}", expected="0 or more")


def _chosen(episodes: Sequence[int] | None, meta: LeRobotDatasetMetadata) -> NDArray[np.int64]:
    chosen = np.arange(meta.total_episodes) if episodes is None else np.unique(np.array(episodes, np.int64))
    unknown = chosen[(chosen < 0) | (chosen >= meta.total_episodes)]
    if unknown.size or not chosen.size:
        what = f"has no episode {', '.join(map(str, unknown))}" if unknown.size else "has no chosen episode"
        raise DatasetError(f"{meta.repo_id} {what}", expected=f"0 to {meta.total_episodes - 1}")
    return chosen
