"""Configuration of image augmentation, under the names of the field. Light: it imports no array library."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel

Range = tuple[float, float]


class ImageTransformConfig(ConfigModel):
    """One change of pictures."""

    weight: float = Field(default=1.0, description="How often it is chosen, relative to the others; 0: never.")
    type: str = Field(default="Identity", description="ColorJitter, SharpnessJitter, RandomAffine or Identity.")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="How far it goes, by the name of each amount.")

    def ranges(self) -> dict[str, Range]:
        """The ranges that amounts are drawn from, by the name of the operation's argument.

        Raises:
            ValueError: the type, an amount's name or its value is wrong; says what is expected.
        """
        if self.type not in _KINDS:
            raise ValueError(f"type to be {', '.join(_KINDS)}, not {self.type!r}")
        known = _KINDS[self.type]
        if unknown := sorted(set(self.kwargs) - set(known)):
            raise ValueError(f"kwargs of {self.type} to be {', '.join(known)}, not {', '.join(unknown)}")
        return {name: part for key, value in self.kwargs.items() for name, part in known[key](key, value).items()}


def _around_one(key: str, value: Any) -> dict[str, Range]:
    """A factor: 0.2 is 0.8 to 1.2; a pair is a range itself."""
    low, high = _pair(key, value, lambda amount: (max(0.0, 1 - amount), 1 + amount))
    if not 0 <= low <= high:
        raise ValueError(f"{key} to be an amount or a range of 0 or more, not {value!r}")
    return {key: (low, high)}


def _around_zero(key: str, value: Any) -> dict[str, Range]:
    low, high = _pair(key, value, lambda amount: (-amount, amount))
    if low > high or (key == "hue" and not -0.5 <= low <= high <= 0.5):
        raise ValueError(f"{key} to be an amount or an ascending range, of hue within -0.5 to 0.5, not {value!r}")
    return {key: (low, high)}


def _shares(key: str, value: Any) -> dict[str, Range]:
    right, down = _pair(key, value, lambda _: (-1.0, -1.0))
    if not (0 <= right <= 1 and 0 <= down <= 1):
        raise ValueError(f"{key} to be shares of width and height, 0 to 1, not {value!r}")
    return {"right": (-right, right), "down": (-down, down)}


def _pair(key: str, value: Any, of_one: Callable[[float], Range]) -> Range:
    try:
        return of_one(float(value)) if isinstance(value, int | float) else (float(value[0]), float(value[1]))
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{key} to be a number or two, not {value!r}") from error


_KINDS: Mapping[str, Mapping[str, Callable[[str, Any], dict[str, Range]]]] = {
    "Identity": {},
    "ColorJitter": {
        "brightness": _around_one,
        "contrast": _around_one,
        "saturation": _around_one,
        "hue": _around_zero,
    },
    "SharpnessJitter": {"sharpness": _around_one},
    "RandomAffine": {"degrees": _around_zero, "translate": _shares},
}


def _default_transforms() -> dict[str, ImageTransformConfig]:
    color = {"brightness": (0.8, 1.2), "contrast": (0.8, 1.2), "saturation": (0.5, 1.5), "hue": (-0.05, 0.05)}
    made = {name: ImageTransformConfig(type="ColorJitter", kwargs={name: span}) for name, span in color.items()}
    return {
        **made,
        "sharpness": ImageTransformConfig(type="SharpnessJitter", kwargs={"sharpness": (0.5, 1.5)}),
        "affine": ImageTransformConfig(type="RandomAffine", kwargs={"degrees": (-5.0, 5.0), "translate": (0.05, 0.05)}),
    }


class ImageTransformsConfig(ConfigModel):
    """Random changes of pictures while training."""

    enable: bool = Field(default=False, description="Change the pictures of each batch at random.")
    max_num_transforms: int = Field(default=3, gt=0, description="Changes per picture.")
    random_order: bool = Field(default=False, description="Apply them in random order instead of that of tfs.")
    tfs: dict[str, ImageTransformConfig] = Field(
        default_factory=_default_transforms,
        description="Changes to choose from, by any name: {name: {weight, type, kwargs}}.",
    )

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if not self.enable:
            return self
        for name, transform in self.tfs.items():
            try:
                transform.ranges()
            except ValueError as error:
                facts = {"name": name, "why": str(error)}
                raise PydanticCustomError("image_transform", "tfs.{name}: {why}", facts) from error
        if not any(transform.weight > 0 for transform in self.tfs.values()):
            raise PydanticCustomError("no_transform", "tfs with a weight above 0, because enable is true")
        return self
