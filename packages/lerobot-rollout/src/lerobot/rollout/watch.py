"""Whether what a policy sees is new."""

from lerobot.core.processors.dataset_features import DatasetFeatures, build_dataset_frame, picture_name
from lerobot.core.tick import Tick
from lerobot.datasets.record.repeats import RepeatedImages


class ImageWatch:
    """Tells of cameras that gave a policy one image again and again, each time as if it were new; a sink of the loop.

    Args:
        features: what a dataset would store of the robot.
    """

    def __init__(self, features: DatasetFeatures) -> None:
        self._features = features
        self._repeats = RepeatedImages(
            [picture_name(key) for key, feature in features.items() if feature["dtype"] in {"image", "video"}]
        )

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        row = build_dataset_frame(self._features, tick.observation, "observation")
        self._repeats.add(row, tick.observation.stamps)

    def __str__(self) -> str:
        """Describe what was noticed, a line per camera; empty if all images were new."""
        return "".join(
            f"camera {name} gave one image for {seconds:.1f} s as if it were new; see what it shows\n"
            for name, seconds in self._repeats.noticed.items()
        )
