"""What programs that record and read datasets call beside the dataset itself."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.format.info import Info
from lerobot.datasets.hub.card import dataset_card


class VideoEncodingManager:
    """Ends a recording on every way out of a block.

    Args:
        dataset: what is recorded into; None does nothing.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __enter__(self) -> "VideoEncodingManager":
        """Begin."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Drop the episode in progress, which an error cut short, and end the recording."""
        if self.dataset is None:
            return
        if exc_info[0] is not None:
            self.dataset.clear_episode_buffer()
        self.dataset.finalize()


def safe_stop_image_writer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that records; there is nothing to stop, because images are encoded while they come in."""

    @wraps(function)
    def recording(*args: Any, **settings: Any) -> Any:
        return function(*args, **settings)

    return recording


def create_lerobot_dataset_card(
    tags: Sequence[str] | None = None, dataset_info: Info | None = None, repo_id: str = "", **details: Any
) -> Any:
    """The card of a dataset, as huggingface_hub has it.

    Args:
        tags: beside `LeRobot`.
        dataset_info: declarations of the dataset (`dataset.meta.info`).
        repo_id: name of the dataset.
        **details: see `lerobot.datasets.hub.card.dataset_card`.

    Raises:
        FeatureMismatchError: nothing says what the dataset holds.
    """
    from huggingface_hub import DatasetCard

    if dataset_info is None:
        raise FeatureMismatchError("a dataset card without a dataset", expected="dataset_info=dataset.meta.info")
    license_name = details.pop("license", "apache-2.0")
    return DatasetCard(dataset_card(repo_id, dataset_info, tags=tags or (), license_name=license_name, **details))


def sanity_check_dataset_name(repo_id: str, policy_cfg: Any) -> None:
    """Check that recordings of a policy, and only those, are named `eval_...`.

    Raises:
        ValueError: the name says something else.
    """
    named = repo_id.rpartition("/")[2].startswith("eval_")
    if named and policy_cfg is None:
        raise ValueError(f"{repo_id}: a name that begins with 'eval_' is for recordings of a policy")
    if not named and policy_cfg is not None:
        raise ValueError(f"{repo_id}: the name of a recording of a policy begins with 'eval_'")


def sanity_check_dataset_robot_compatibility(
    dataset: Any, robot: Any, fps: int, features: Mapping[str, Mapping[str, Any]]
) -> None:
    """Check that a robot's recording can be added to a dataset.

    Args:
        dataset: what is added to.
        robot: with `robot_type`.
        fps: frames per second.
        features: what is recorded of the robot.

    Raises:
        FeatureMismatchError: robot, rate or features differ; names each.
    """
    meta = dataset.meta
    wrong = []
    if meta.robot_type != robot.robot_type:
        wrong.append(f"robot_type is {meta.robot_type!r} there and {robot.robot_type!r} here")
    if meta.fps != fps:
        wrong.append(f"fps is {meta.fps} there and {fps} here")
    for key, feature in features.items():
        known = meta.features.get(key)
        if known is None or tuple(known["shape"]) != tuple(feature["shape"]) or known["dtype"] != feature["dtype"]:
            wrong.append(f"{key} is {'missing' if known is None else 'another'} there")
    if wrong:
        raise FeatureMismatchError(f"{dataset.repo_id} does not fit the robot: {'; '.join(wrong)}")


def resolve_delta_timestamps(cfg: Any, ds_meta: Any) -> dict[str, list[float]] | None:
    """Seconds, relative to each frame, of what a policy wants to see of each feature; None for each frame alone.

    Args:
        cfg: of the policy.
        ds_meta: metadata of the dataset.
    """
    from lerobot.training.data import delta_timestamps

    return delta_timestamps(cfg, ds_meta) or None


def make_dataset(cfg: Any) -> Any:
    """The dataset of a training configuration, with the windows its policy wants.

    Args:
        cfg: with `dataset`, `policy` and how batches are drawn, such as `TrainPipelineConfig`.
    """
    from lerobot.training.data import open_dataset

    return open_dataset(cfg.dataset, cfg.policy, cfg, seed=cfg.seed).training
