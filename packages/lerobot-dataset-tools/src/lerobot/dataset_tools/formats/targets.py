"""What a field of a source becomes where nobody says otherwise."""

from lerobot.dataset_tools.formats.source import TASK, TEXT

STATE, ENVIRONMENT_STATE, ACTION = "observation.state", "observation.environment_state", "action"
REWARD, DONE = "next.reward", "next.done"
IMAGES = "observation.images."

VECTORS = frozenset({STATE, ENVIRONMENT_STATE, ACTION})
"""Features that policies take as one vector, whatever shapes they are put together from."""

COLOUR_CHANNELS = frozenset({1, 3})
_CAMERA_ENDINGS = ("_image", "_rgb")


def is_colour(dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether values are grey or colour images, channels last or first."""
    return dtype == "uint8" and len(shape) == 3 and bool(COLOUR_CHANNELS & {shape[0], shape[2]})


def is_depth(dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether values are depth images in millimetres: 16 bits, one channel or none named."""
    return dtype == "uint16" and (len(shape) == 2 or (len(shape) == 3 and 1 in {shape[0], shape[2]}))


def camera_feature(name: str) -> str:
    """Feature of a camera: `observation.images.front` for `obs/front_image`."""
    last = name.rpartition("/")[2].replace(".", "_")
    for ending in _CAMERA_ENDINGS:
        last = last.removesuffix(ending) or last
    return f"{IMAGES}{last}"


def observation_target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    """What an observation becomes: a camera, or a part of the state; texts are left out."""
    if is_colour(dtype, shape) or is_depth(dtype, shape):
        return camera_feature(name)
    return None if dtype == TEXT else STATE


_ACTIONS, _STATES = ("action", "cmd", "command"), ("state", "qpos", "joint", "pos", "proprio", "obs")
_TASKS = ("task", "instruction", "language", "prompt")


def proposed_target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    """What a field of a recording without conventions may be, by its form and the words in its name; None: no idea."""
    lower = name.lower()
    if dtype == TEXT:
        return TASK if any(word in lower for word in _TASKS) else None
    if is_colour(dtype, shape) or is_depth(dtype, shape):
        return camera_feature(name) if name.rpartition("/")[2] not in {"rgb", "image"} else _camera_of_folder(name)
    if len(shape) != 1:
        return None
    if any(word in lower for word in _ACTIONS):
        return ACTION
    return STATE if any(word in lower for word in _STATES) else None


def _camera_of_folder(name: str) -> str:
    """Camera named by the folders of an array that is only called `rgb`: `cam/top/rgb` is `top`."""
    folder = name.rpartition("/")[0].rpartition("/")[2]
    return IMAGES + (f"camera_{folder}" if folder.isdigit() else folder or "image")
