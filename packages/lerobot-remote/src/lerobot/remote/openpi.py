"""Observations as openpi's public policies expect them: which key holds what, and pictures of their size.

Source:
    https://github.com/Physical-Intelligence/openpi, src/openpi/policies and packages/openpi-client (image_tools).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lerobot.core.errors import FeatureMismatchError

SIZE = 224
"""Height and width of the pictures; the client makes them so small, because it sends them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a family of policies expects what.

    Attributes:
        state: keys that share the robot's state, in order, each with how many of its numbers it takes.
        cameras: keys of pictures.
        required: those of them that may not be missing.
        images: key of a map that holds the pictures; empty if they stand beside the rest.
        channels_first: pictures are `(C, H, W)`.
        action_dim: numbers of an action.
    """

    state: tuple[tuple[str, int], ...]
    cameras: tuple[str, ...]
    required: tuple[str, ...]
    images: str = ""
    channels_first: bool = False
    action_dim: int = 0

    def observation(self, state: NDArray[Any], pictures: Mapping[str, NDArray[Any]], prompt: str) -> dict[str, Any]:
        """Lay an observation out.

        Args:
            state: `(Ds,)`, in the policy's order and units.
            pictures: `(H, W, 3)` uint8 by the layout's keys.
            prompt: the task in words.

        Raises:
            FeatureMismatchError: the state has another size, or a picture is unknown or missing.
        """
        size = sum(count for _, count in self.state)
        if state.shape != (size,):
            raise FeatureMismatchError(f"the state has the shape {state.shape}", expected=f"({size},)")
        odd = [key for key in pictures if key not in self.cameras]
        missing = [key for key in self.required if key not in pictures]
        if odd or missing:
            what = f"{', '.join(odd)} are none of its cameras" if odd else f"{', '.join(missing)} are missing"
            raise FeatureMismatchError(
                what, keys=[*odd, *missing], expected=", ".join(self.cameras), hint="Name them: --policy.cameras=..."
            )
        parts = np.split(state, np.cumsum([count for _, count in self.state])[:-1])
        small = {key: resize_with_pad(picture, SIZE, SIZE) for key, picture in pictures.items()}
        if self.channels_first:
            small = {key: np.ascontiguousarray(picture.transpose(2, 0, 1)) for key, picture in small.items()}
        return {
            **{key: part for (key, _), part in zip(self.state, parts, strict=True)},
            **({self.images: small} if self.images else small),
            "prompt": prompt,
        }


LAYOUTS = {
    "droid": Layout(
        (("observation/joint_position", 7), ("observation/gripper_position", 1)),
        ("observation/exterior_image_1_left", "observation/wrist_image_left"),
        ("observation/exterior_image_1_left", "observation/wrist_image_left"),
        action_dim=8,
    ),
    "libero": Layout(
        (("observation/state", 8),),
        ("observation/image", "observation/wrist_image"),
        ("observation/image", "observation/wrist_image"),
        action_dim=7,
    ),
    "aloha": Layout(
        (("state", 14),),
        ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"),
        ("cam_high",),
        images="images",
        channels_first=True,
        action_dim=14,
    ),
}
"""Layouts by the name of the robot that the policies were trained for."""


def resize_with_pad(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Fit a picture `(H, W, 3)` uint8 into another size, with black borders; unchanged if it has that size."""
    found_height, found_width = picture.shape[:2]
    if (found_height, found_width) == (height, width):
        return picture
    ratio = max(found_width / width, found_height / height)
    inner_height, inner_width = int(found_height / ratio), int(found_width / ratio)
    small = Image.fromarray(picture).resize((inner_width, inner_height), Image.Resampling.BILINEAR)
    padded = np.zeros((height, width, 3), np.uint8)
    top, left = int((height - inner_height) / 2), int((width - inner_width) / 2)
    padded[top : top + inner_height, left : left + inner_width] = np.asarray(small)
    return padded
