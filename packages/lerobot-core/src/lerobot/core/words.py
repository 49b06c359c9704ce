"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 episode`, `12,345 frames`.

    Args:
        number: how many.
        noun: what, in the singular, with a plural in s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
