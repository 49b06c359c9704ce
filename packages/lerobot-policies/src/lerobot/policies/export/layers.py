"""Which layers of a policy are rounded to 8 bits."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from lerobot.core.errors import LeRobotError
from lerobot.policies.formats import Int8Config


def chosen_layers(names: Sequence[str], config: Int8Config) -> list[str]:
    """Choose layers by their names.

    Args:
        names: of all layers that could be rounded.
        config: which to round, and which to keep.

    Raises:
        LeRobotError: a pattern fits no layer, or none is left to round.
    """
    for pattern in (*config.only, *config.keep):
        if not any(fnmatchcase(name, pattern) for name in names):
            raise LeRobotError(
                f"no layer that could be rounded to 8 bits is called {pattern!r}",
                expected=f"a pattern of some of {', '.join(names) or 'none: the policy has no such layer'}",
            )
    chosen = [name for name in names if _fits(name, config.only) and not _fits(name, config.keep)]
    if not chosen:
        raise LeRobotError("no layer is left to round to 8 bits", expected="patterns in keep that leave some")
    return chosen


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
