"""Limits of values."""

import math
from dataclasses import replace
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.step import PipelineFeatures, ProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.processors.transition import EnvTransition, copied


class ClipProcessorStep(ProcessorStep):
    """Clips scalars to the limits of their keys; a NaN has no nearest valid value and is refused."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Clip."""
        entry, limits = self.config.entry, self.config.limits
        values: dict[str, Any] = copied(transition.get(entry) or {})
        require_keys(list(limits), values, entry)
        for key, (low, high) in limits.items():
            if math.isnan(values[key]):
                raise FeatureMismatchError(f"{entry} {key!r} is NaN", keys=[key], expected=f"{low} to {high}")
            values[key] = min(max(values[key], low), high)
        return {**transition, entry: values}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Narrow the ranges."""
        entry, limits = self.config.entry, self.config.limits
        require_keys(list(limits), features[entry], entry)
        clipped = dict(features[entry])
        for key, (low, high) in limits.items():
            smallest, largest = clipped[key].range or (low, high)
            narrowed = (min(max(smallest, low), high), min(max(largest, low), high))
            clipped[key] = replace(clipped[key], range=narrowed)
        return {**features, entry: clipped}
