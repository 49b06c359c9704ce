"""Targets near the present position."""

import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)


def ensure_safe_goal_position(
    goal_present_pos: Mapping[str, tuple[float, float]], max_relative_target: float | Mapping[str, float]
) -> dict[str, float]:
    """Hold targets within a distance of the present position.

    Args:
        goal_present_pos: target and present position by joint.
        max_relative_target: largest distance, one for all or one per joint.

    Raises:
        ValueError: distances are given for other joints.
    """
    caps = (
        max_relative_target
        if isinstance(max_relative_target, Mapping)
        else dict.fromkeys(goal_present_pos, float(max_relative_target))
    )
    if set(caps) != set(goal_present_pos):
        raise ValueError(f"max_relative_target is for {', '.join(caps)}; targets are for {', '.join(goal_present_pos)}")
    held = {
        joint: min(max(goal, present - caps[joint]), present + caps[joint])
        for joint, (goal, present) in goal_present_pos.items()
    }
    if clipped := [joint for joint, (goal, _) in goal_present_pos.items() if abs(held[joint] - goal) > 1e-4]:
        log.warning("max_relative_target holds %s back", ", ".join(clipped))
    return held
