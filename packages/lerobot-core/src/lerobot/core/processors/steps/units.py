"""Units of joint values."""

import math
from dataclasses import replace
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.config import ConvertUnitsConfig, UnitConversion
from lerobot.core.processors.step import PipelineFeatures, ProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.processors.transition import EnvTransition, copied
from lerobot.core.types import FeatureSpec


def _degrees(unit: str, range_deg: tuple[float, float]) -> tuple[float, float]:
    """Scale and offset that make degrees of a value in `unit`."""
    low, high = range_deg
    return {
        "deg": (1.0, 0.0),
        "rad": (180.0 / math.pi, 0.0),
        "percent": ((high - low) / 100.0, low),
        "m100": ((high - low) / 200.0, (low + high) / 2.0),
    }[unit]


def affine(conversion: UnitConversion) -> tuple[float, float]:
    """Scale and offset of a conversion: `target = source * scale + offset`."""
    # Between two normalised units, or two angles, the range cancels out: any will do.
    range_deg = conversion.range_deg or (-1.0, 1.0)
    scale_in, offset_in = _degrees(conversion.source, range_deg)
    scale_out, offset_out = _degrees(conversion.target, range_deg)
    return scale_in / scale_out, (offset_in - offset_out) / scale_out


class ConvertUnitsProcessorStep(ProcessorStep):
    """Converts values, scalars or arrays, between degrees, radians, percent (0..100) and m100 (-100..100)."""

    def __init__(self, config: ConvertUnitsConfig) -> None:
        super().__init__(config)
        self._affine = {key: affine(conversion) for key, conversion in config.conversions.items()}

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Convert."""
        entry = self.config.entry
        values: dict[str, Any] = copied(transition.get(entry) or {})
        require_keys(list(self._affine), values, entry)
        for key, (scale, offset) in self._affine.items():
            values[key] = values[key] * scale + offset
        return {**transition, entry: values}

    def inverse(self) -> "ConvertUnitsProcessorStep":
        """Make the step that undoes this one."""
        swapped = {
            key: conversion.model_copy(update={"source": conversion.target, "target": conversion.source})
            for key, conversion in self.config.conversions.items()
        }
        return ConvertUnitsProcessorStep(self.config.model_copy(update={"conversions": swapped}))

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Convert unit, range and velocity limit."""
        entry = self.config.entry
        require_keys(list(self._affine), features[entry], entry)
        converted = dict(features[entry])
        for key, conversion in self.config.conversions.items():
            converted[key] = _convert(key, converted[key], conversion)
        return {**features, entry: converted}


def _convert(key: str, spec: FeatureSpec, conversion: UnitConversion) -> FeatureSpec:
    if spec.unit not in {None, conversion.source}:
        raise FeatureMismatchError(f"{key!r} is in {spec.unit}", keys=[key], expected=conversion.source)
    scale, offset = affine(conversion)
    return replace(
        spec,
        unit=conversion.target,
        range=spec.range and (spec.range[0] * scale + offset, spec.range[1] * scale + offset),
        max_velocity=spec.max_velocity and spec.max_velocity * scale,
    )
