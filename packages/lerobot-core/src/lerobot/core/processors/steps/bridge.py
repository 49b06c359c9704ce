"""Between a robot action (a dict) and a policy action (a vector in motor order)."""

from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.arrays import as_vector, float32_vector
from lerobot.core.processors.step import ActionProcessorStep, PipelineFeatures, RobotActionProcessorStep
from lerobot.core.types import FeatureSpec


def _check_motors(names: list[str], available: dict[str, Any]) -> list[str]:
    """Keys of the motors, which must be exactly the keys there are."""
    keys = [f"{name}.pos" for name in names]
    wrong = sorted({*keys} ^ {*available})
    if wrong:
        raise FeatureMismatchError(
            f"the action has the keys {', '.join(available) or '(none)'}", keys=wrong, expected=", ".join(keys)
        )
    return keys


class RobotActionToPolicyActionProcessorStep(RobotActionProcessorStep):
    """Makes a float32 vector `(Da,)` of a robot action, ordered by `motor_names`, never by the dict."""

    def action(self, action: dict[str, Any]) -> Any:
        """Collect."""
        return float32_vector([action[key] for key in _check_motors(self.config.motor_names, action)])

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """One feature named `action`."""
        keys = _check_motors(self.config.motor_names, features["action"])
        return {**features, "action": {"action": FeatureSpec(shape=(len(keys),), names=tuple(keys))}}


class PolicyActionToRobotActionProcessorStep(ActionProcessorStep):
    """Makes a robot action of a vector `(Da,)` or `(1, Da)`: floats, in the order of `motor_names`."""

    def action(self, action: Any) -> dict[str, Any]:
        """Distribute."""
        names = self.config.motor_names
        vector = as_vector(action, len(names))
        return {f"{name}.pos": float(vector[index]) for index, name in enumerate(names)}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """One scalar per motor."""
        return {**features, "action": {f"{name}.pos": FeatureSpec() for name in self.config.motor_names}}
