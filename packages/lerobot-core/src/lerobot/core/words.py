"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 episode`, `12,345 frames`.

    Args:
        number: how many.
        noun: what, in the singular, with a plural in s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def numbers_of(total: int) -> str:
    """What may be chosen of so many things that are numbered from 0: `0 to 4`, or that there is none."""
    if total < 1:
        return "no number: there is none"
    return "0" if total == 1 else f"0 to {total - 1}"
