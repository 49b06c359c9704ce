"""The order in which frames are drawn, by huggingface/lerobot's arguments."""

from collections.abc import Mapping, Sequence

from lerobot.datasets.dataset import samplers


class EpisodeAwareSampler(samplers.EpisodeAwareSampler):
    """Frames of chosen episodes, optionally without their first or last ones.

    Args:
        dataset_from_indices: first frame of each episode.
        dataset_to_indices: frame after the last one of each episode.
        episode_indices_to_use: numbers of the episodes; all if None.
        drop_n_first_frames: frames to leave out at the beginning of each episode.
        drop_n_last_frames: same at the end.
        shuffle: whether to permute the frames, anew in every epoch.
        seed: of the permutations.
        absolute_to_relative_idx: index to yield for each frame, for datasets with chosen episodes.
    """

    def __init__(
        self,
        dataset_from_indices: Sequence[int],
        dataset_to_indices: Sequence[int],
        episode_indices_to_use: Sequence[int] | None = None,
        drop_n_first_frames: int = 0,
        drop_n_last_frames: int = 0,
        shuffle: bool = False,
        seed: int = 0,
        absolute_to_relative_idx: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(
            dataset_from_indices,
            dataset_to_indices,
            episode_indices_to_use,
            drop_n_first_frames,
            drop_n_last_frames,
            shuffle,
            seed,
            absolute_to_relative_idx,
        )
