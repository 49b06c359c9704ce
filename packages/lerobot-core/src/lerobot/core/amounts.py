"""How many there are of something, for sentences."""


def counted(number: int, noun: str) -> str:
    """`1 frame`, `2 frames`; for nouns whose plural is an s more."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def numbers_of(total: int) -> str:
    """What may be chosen of so many things that are numbered from 0: `0 to 4`, or that there is none."""
    if total < 1:
        return "no number: there is none"
    return "0" if total == 1 else f"0 to {total - 1}"
