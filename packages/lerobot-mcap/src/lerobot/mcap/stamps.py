"""The columns that keep when the messages of a feature were measured."""

_STAMP = "stamp_ns."


def stamp_key(feature: str) -> str:
    """Column with the times of a feature's messages, nanoseconds since 1970, one for each stream it is made of.

    Like other columns about a recording it begins neither with `observation` nor with `action`, so that no policy takes
    it for an input. `lerobot.datasets.format.extra_columns` has the house's own, in seconds of the episode.
    """
    return f"{_STAMP}{feature}"


def is_stamp(key: str) -> bool:
    """Whether a column holds such times."""
    return key.startswith(_STAMP)
