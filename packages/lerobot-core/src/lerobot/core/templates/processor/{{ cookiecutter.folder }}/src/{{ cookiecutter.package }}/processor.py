"""{{ cookiecutter.title }}: an exponential moving average of robot actions.

YOURS: replace what `action` does.
"""

from typing import Any

from lerobot.core.processors import RobotActionProcessorStep

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config


class {{ cookiecutter.class_name }}(RobotActionProcessorStep):
    """Moves each number of an action by `share` of the way from the last one to the new one.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`.
    """

    def __init__(self, config: {{ cookiecutter.class_name }}Config) -> None:
        super().__init__(config)
        self._smooth: dict[str, float] = {}

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Smooth every number; the first action of an episode passes as it is."""
        for key, target in action.items():
            last = self._smooth.get(key, target)
            self._smooth[key] = last + self.config.share * (target - last)
        return {key: self._smooth[key] for key in action}

    def reset(self) -> None:
        """Forget the last action."""
        super().reset()
        self._smooth.clear()
