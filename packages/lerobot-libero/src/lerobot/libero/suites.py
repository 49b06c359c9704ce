"""The suites of LIBERO."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite.

    Attributes:
        tasks: how many tasks it has.
        max_steps: steps after which an episode is cut off, as the published evaluations have it: more than the longest
            demonstration took.
    """

    tasks: int
    max_steps: int


SUITES = {
    "libero_spatial": Suite(10, 280),
    "libero_object": Suite(10, 280),
    "libero_goal": Suite(10, 300),
    "libero_10": Suite(10, 520),
    "libero_90": Suite(90, 400),
}
"""By name; their tasks are numbered from 0."""
