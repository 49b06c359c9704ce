"""Do policy, dataset, robot and environment fit each other? Answered before anything runs, without torch."""

from lerobot.policies.preflight.comparison import check_files, check_policy, check_same

__all__ = ["check_files", "check_policy", "check_same"]
