"""What one part of a feature takes from the messages of a frame."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot.dataset_tools.formats.source import TEXT, SourceField
from lerobot.mcap.contract import IMAGES, PER_UNIT, PartConfig, Policy
from lerobot.mcap.message.image import image_of
from lerobot.mcap.message.numbers import numbers_of
from lerobot.mcap.message.path import FieldPath

_PARALLEL = 0.9995
"""Cosine above which slerp and a straight line are the same to float32."""


class Part(Protocol):
    """Reads a part of a feature.

    Attributes:
        field: what it gives.
    """

    field: SourceField

    def value(self, message: Any) -> Any:
        """The part's value in a message.

        Raises:
            ValueError: the message does not hold it.
        """
        ...

    def between(self, first: Any, second: Any, weight: float) -> Any:
        """The value on the line between two."""
        ...


class ImagePart:
    """A camera; see `Part`."""

    def __init__(self, feature: str, config: PartConfig, message: Any) -> None:
        self._path = None if config.field is None else FieldPath(config.field)
        image = self.value(message)
        name = feature.removeprefix(IMAGES)
        self.field = SourceField(name, image.dtype.name, image.shape, feature)

    def value(self, message: Any) -> NDArray[Any]:
        """See `Part.value`."""
        return image_of(message if self._path is None else self._path.of(message))

    def between(self, first: Any, second: Any, weight: float) -> Any:
        """There is no image between two; the contract of such a stream is refused."""
        raise NotImplementedError


class TextPart:
    """A text, such as the task; see `Part`."""

    def __init__(self, feature: str, config: PartConfig) -> None:
        self._path = FieldPath(str(config.field))
        self.field = SourceField(feature, TEXT, (), feature)

    def value(self, message: Any) -> str:
        """See `Part.value`."""
        text = self._path.of(message)
        if not isinstance(text, str):
            raise ValueError(f"{self._path.text} is {text!r:.60}, not a text")
        return text

    def between(self, first: Any, second: Any, weight: float) -> Any:
        """There is no text between two; the contract of such a stream is refused."""
        raise NotImplementedError


class NumbersPart:
    """Numbers in the units of the dataset; see `Part`."""

    def __init__(self, feature: str, config: PartConfig, message: Any, *, is_named_by_stream: bool) -> None:
        self._config = config
        self._path = FieldPath(str(config.field))
        self._size = len(numbers_of(message, self._path, config.names))
        if not self._size:
            raise ValueError(f"{self._path.text} is empty")
        names = config.names
        if not names and self._size > 1:
            names = tuple(f"{config.stream}_{number}" for number in range(self._size))
        elif not names:
            names = (config.stream,)
        elif is_named_by_stream:
            names = tuple(f"{config.stream}.{name}" for name in names)
        self.field = SourceField(f"{feature}/{config.stream}.{config.field}", "float64", (self._size,), feature, names)

    def value(self, message: Any) -> NDArray[np.float64]:
        """See `Part.value`."""
        values = numbers_of(message, self._path, self._config.names)
        if len(values) != self._size:
            raise ValueError(f"{self._path.text} has {len(values)} values, and {self._size} in the first message")
        factor, offset = self._config.factor, self._config.offset
        return values if factor == 1 and offset == 0 else values * factor + offset

    def between(self, first: NDArray[np.float64], second: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
        """See `Part.between`."""
        if self._config.kind == "quaternion":
            return _slerp(first, second, weight)
        step = second - first
        if self._config.kind == "angle":
            unit = self._config.store_as or self._config.unit or "rad"
            turn = 2 * np.pi / PER_UNIT[unit][1] * self._config.scale
            step = step - turn * np.rint(step / turn)
        return first + weight * step


def make_part(
    feature: str, config: PartConfig, policy: Policy, message: Any, *, is_named_by_stream: bool = False
) -> Part:
    """The part that a contract describes, by what the first message of its stream holds.

    Args:
        feature: what it is a part of.
        config: the part.
        policy: how the messages of its stream are chosen.
        message: the first message.
        is_named_by_stream: put the stream before the names, as where two arms have joints of the same names.

    Raises:
        ValueError: the message does not hold it, or there is no line between two such values.
    """
    part: Part
    if feature.startswith(IMAGES):
        part = ImagePart(feature, config, message)
    elif isinstance(FieldPath(str(config.field)).of(message), str):
        part = TextPart(feature, config)
    else:
        return NumbersPart(feature, config, message, is_named_by_stream=is_named_by_stream)
    if policy == "linear":
        raise ValueError(f"{feature} cannot be linear: there is nothing between two images or texts")
    return part


def _slerp(first: NDArray[np.float64], second: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Between two unit quaternions by the shorter arc.

    Source:
        Shoemake, Animating rotation with quaternion curves, SIGGRAPH 1985
    """
    cosine = float(first @ second)
    if cosine < 0:
        second, cosine = -second, -cosine
    if cosine > _PARALLEL:
        line = first + weight * (second - first)
        unit: NDArray[np.float64] = line / np.linalg.norm(line)
        return unit
    angle = np.arccos(cosine)
    turned: NDArray[np.float64] = np.sin((1 - weight) * angle) * first + np.sin(weight * angle) * second
    turned /= np.sin(angle)
    return turned
