"""Names of tasks and of suites, as they are given on a command line."""

import difflib
from collections.abc import Collection


def chosen(text: str, known: Collection[str], what: str = "task") -> list[str]:
    """Read a list with commas, such as `libero_10,libero_goal`.

    Args:
        text: the list; blanks around names do not matter.
        known: every name there is.
        what: what the names are, for the error.

    Returns:
        The names in the order in which they are given, each once.

    Raises:
        ValueError: there is no such name; says the nearest ones.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError(f"a {what}, or several with commas between them")
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            listed = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known))}"
            raise ValueError(f"a {what}; {name!r} is none, {listed}")
    return names
