"""BridgeData V2: RLDS in two versions, and the raw folders that its collection wrote.

Source:
    rail-berkeley/bridge_data_v2 `data_processing/bridgedata_raw_to_numpy.py`: the folders, T actions beside T + 1
    observations, and the latency of cameras before 2021-07-23.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lerobot.core.array_pickle import unpickled_arrays
from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import reading
from lerobot.dataset_tools.formats.images import decode_image
from lerobot.dataset_tools.formats.rlds import FEATURES_FILE
from lerobot.dataset_tools.formats.source import TEXT, EpisodeGroup, EpisodeSource, SourceField
from lerobot.recipes.bridge_layout import RAW, layout_of
from lerobot.recipes.config import BridgeConfig
from lerobot.recipes.places import Place
from lerobot.recipes.recipe import table
from lerobot.recipes.rlds import open_episodes, with_recipe

_FIRST_WITHOUT_LATENCY: Final = datetime(2021, 7, 23)
_DATED = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_GROUP, _TRAJECTORY = re.compile(r"traj_group\d+"), re.compile(r"traj\d+")


def open_bridge(config: BridgeConfig) -> EpisodeSource:
    """Open a version folder of the RLDS, or a folder at any depth of the raw recordings.

    Raises:
        DatasetError: there is none, or it is something else.
    """
    layout = layout_of(config.path, config.storage)
    with ExitStack() as stack:
        episodes: EpisodeSource = RawBridge(config) if layout == RAW else open_episodes(config, {})
        stack.callback(episodes.close)
        source = with_recipe(config, table("bridge")[layout], episodes)
        stack.pop_all()
    return source


class RawBridge:
    """Trajectories in folders of their own; see `GroupedSource`.

    Args:
        config: where they are, which, and which cameras.

    Raises:
        DatasetError: there is no trajectory, or the first one is damaged.
    """

    def __init__(self, config: BridgeConfig) -> None:
        self._root = Place(config.path, config.storage)
        self._has_latency_fault = "latency" in config.faults()
        self.episodes: Sequence[str] = config.files if config.files is not None else _trajectories(self._root, "")
        if not self.episodes:
            raise DatasetError(
                f"{config.path} holds no trajectory of BridgeData V2",
                expected=f"{FEATURES_FILE} of its RLDS, or folders such as .../raw/traj_group0/traj0",
            )
        self.groups: Sequence[EpisodeGroup] = [
            EpisodeGroup((f"{self._root.address}/{name}",), range(number, number + 1), choice=(name,))
            for number, name in enumerate(self.episodes)
        ]
        self.fps: float | None = None
        self.task: str | None = None
        self._numbers: tuple[int, dict[str, Any]] | None = None
        self._shapes = {f"images{camera}": self._image_shape(camera) for camera in config.cameras}
        cameras = [SourceField(name, "uint8", shape, None) for name, shape in self._shapes.items()]
        marks = [SourceField(f"has_image_{camera}", "bool", (), None) for camera in config.cameras]
        vectors = [SourceField(name, "float32", (7,), None) for name in ("state", "action")]
        self.fields: Sequence[SourceField] = [*cameras, *marks, *vectors, SourceField("language", TEXT, (), None)]

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        values = self._values(episode)
        first = values["first"]
        for row in range(len(values["state"])):
            frame: dict[str, Any] = {}
            for name in names:
                if name in self._shapes:
                    frame[name] = (
                        self._image(episode, name, row + first) if name in values["views"] else self._black(name)
                    )
                elif name.startswith("has_image_"):
                    frame[name] = np.bool_(name.replace("has_image_", "images") in values["views"])
                else:
                    frame[name] = values[name] if name == "language" else values[name][row]
            yield frame

    def close(self) -> None:
        """Nothing stays open."""

    def _values(self, episode: int) -> dict[str, Any]:
        """Numbers and texts of a trajectory; those of the last one are kept."""
        if self._numbers is None or self._numbers[0] != episode:
            self._numbers = episode, self._read(episode)
        return self._numbers[1]

    def _read(self, episode: int) -> dict[str, Any]:
        place = self._root.child(self.episodes[episode])
        views = place.entries()
        observations = unpickled_arrays(place.child("obs_dict.pkl").read(), f"{place.address}/obs_dict.pkl")
        policy = unpickled_arrays(place.child("policy_out.pkl").read(), f"{place.address}/policy_out.pkl")
        with reading(place.address, "full_state of T + 1 observations and T actions"):
            states = np.asarray(observations["full_state"], np.float32)
            actions = np.stack([each["actions"] if isinstance(each, dict) else each for each in policy])
            actions = actions.astype(np.float32)
            if states.shape != (len(actions) + 1, 7) or actions.shape[1:] != (7,):
                raise ValueError(f"its states are {states.shape}, its actions {actions.shape}")
        late = not self._has_latency_fault and _recorded(place.address) < _FIRST_WITHOUT_LATENCY
        first = 1 if late else 0
        text = place.child("lang.txt").read().decode("utf-8") if "lang.txt" in views else ""
        lines = [line.strip() for line in text.splitlines()]
        language = next((line for line in lines if line and not line.startswith("confidence")), "")
        count = len(actions) - first
        return {
            "first": first,
            "views": views,
            "state": states[first : first + count],
            "action": actions[:count],
            "language": language,
        }

    def _image(self, episode: int, camera: str, number: int) -> npt.NDArray[Any]:
        place = self._root.child(f"{self.episodes[episode]}/{camera}/im_{number}.jpg")
        return decode_image(place.read(), place.address)

    def _black(self, camera: str) -> npt.NDArray[np.uint8]:
        return np.zeros(self._shapes[camera], np.uint8)

    def _image_shape(self, camera: int) -> tuple[int, ...]:
        """Size of a camera's images, from the first trajectory; all cameras of this dataset have the same."""
        for view in (f"images{camera}", "images0"):
            first = self._root.child(f"{self.episodes[0]}/{view}/im_0.jpg")
            content = first.read_if_there()
            if content is not None:
                return decode_image(content, first.address).shape
        raise DatasetError(f"{self.episodes[0]} lacks images0/im_0.jpg", expected="a trajectory of BridgeData V2")


def _trajectories(place: Place, below: str) -> list[str]:
    """Folders of trajectories below a folder, without looking into them."""
    found: list[str] = []
    for name in place.folders():
        path = f"{below}/{name}" if below else name
        if _TRAJECTORY.fullmatch(name) and _GROUP.fullmatch(place.name):
            found.append(path)
        else:
            found += _trajectories(place.child(name), path)
    return found


def _recorded(address: str) -> datetime:
    """When a trajectory was recorded, as a folder above it is named."""
    dates = _DATED.findall(address)
    if not dates:
        raise DatasetError(
            f"{address} lies in no folder named by its date",
            expected="such as 2022-01-01_00-00-00: cameras were late before",
        )
    return datetime.strptime(dates[-1], "%Y-%m-%d_%H-%M-%S")
