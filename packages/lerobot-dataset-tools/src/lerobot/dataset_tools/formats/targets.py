"""What a field of a source becomes where nobody says otherwise."""

from lerobot.dataset_tools.formats.source import TEXT

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
