"""Steps that watch an episode."""

from typing import Any

from lerobot.core.processors.arrays import as_vector
from lerobot.core.processors.config import TimeLimitConfig
from lerobot.core.processors.step import ProcessorStep, TruncatedProcessorStep
from lerobot.core.processors.transition import EnvTransition

DISCRETE_PENALTY = "discrete_penalty"


class TimeLimitProcessorStep(TruncatedProcessorStep):
    """Sets `truncated` from the `max_episode_steps`-th call of an episode on."""

    def __init__(self, config: TimeLimitConfig) -> None:
        super().__init__(config)
        self._steps = 0

    def truncated(self, truncated: Any) -> Any:
        """Count."""
        self._steps += 1
        return True if self._steps >= self.config.max_episode_steps else truncated

    def reset(self) -> None:
        """Start counting again."""
        super().reset()
        self._steps = 0


class GripperPenaltyProcessorStep(ProcessorStep):
    """Writes `discrete_penalty` into the complementary data: the penalty for reversing the gripper, else 0.

    It needs `raw_joint_positions` in the complementary data and an action; while the environment resets there are
    none, and the transition passes unchanged.
    """

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Penalise."""
        config = self.config
        data = transition.get("complementary_data") or {}
        measured = (data.get("raw_joint_positions") or {}).get(config.gripper_key)
        action = transition.get("action")
        if measured is None or action is None:
            return transition
        is_at = float(measured) / config.max_gripper_pos
        goes_to = self._commanded(action) / config.max_gripper_pos
        closes = is_at < config.open_threshold and goes_to > config.closed_threshold
        opens = is_at > config.closed_threshold and goes_to < config.open_threshold
        penalty = config.penalty if closes or opens else 0.0
        return {**transition, "complementary_data": {**data, DISCRETE_PENALTY: penalty}}

    def _commanded(self, action: Any) -> float:
        if isinstance(action, dict):
            return float(action[self.config.gripper_key])
        return float(as_vector(action)[self.config.gripper_index])
