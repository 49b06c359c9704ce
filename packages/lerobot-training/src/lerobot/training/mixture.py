"""Several datasets as one to train on."""

from collections.abc import Mapping, Sequence

from lerobot.datasets.dataset.subset import FrameSource
from lerobot.datasets.dataset.views import MixtureDataset
from lerobot.datasets.format.stats_json import Stats


class TrainingMixture(MixtureDataset):
    """A mixture, and how much is drawn from each of its datasets.

    Args:
        datasets: at least one.
        feature_maps: per dataset, its feature's name to the common name.
        stats: per dataset, its statistics by its own names.
        weights: share of each in what is drawn.

    Raises:
        FeatureMismatchError: the datasets do not fit each other.
    """

    def __init__(
        self,
        datasets: Sequence[FrameSource],
        feature_maps: Sequence[Mapping[str, str]],
        stats: Sequence[Stats],
        weights: Sequence[float],
    ) -> None:
        super().__init__(datasets, feature_maps, stats)
        self.weights = list(weights)
