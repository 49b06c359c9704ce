"""Arrows point down between the rooms of a package: its folders, the files beside them, and theirs in turn.

The order of the rooms follows from the imports; what is forbidden is a circle, in which some arrow must point up. The
imports inside functions and for type checking count. A circle of files is one of rooms in the folder they share.
"""

import pytest
from source_tree import Package, packages

CIRCLES: dict[str, set[str]] = {}
"""Rooms that still stand in a circle, by the folder they are in. Whoever mends one takes it out; none is added."""

every_package = pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)


def arrows(package: Package, folder: str) -> dict[tuple[str, str], list[str]]:
    """Imports between the rooms of a folder; the `__init__.py` of the folder is a room too."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in package.modules:
        for other, line in module.siblings.items():
            ends = room(module.name, folder), room(other, folder)
            if None not in ends and ends[0] != ends[1]:
                found.setdefault(ends, []).append(f"{module.where}:{line} imports {other}")
    return found


def room(module: str, folder: str) -> str | None:
    if module == folder:
        return "__init__"
    return module[len(folder) + 1 :].partition(".")[0] if module.startswith(f"{folder}.") else None


def circles(pairs: set[tuple[str, str]]) -> set[str]:
    """Rooms from which the arrows lead back to where they began."""
    reached = {start: {end for begin, end in pairs if begin == start} for start, _ in pairs}
    for middle in reached:
        for ends in reached.values():
            if middle in ends:
                ends |= reached[middle]
    return {start for start, ends in reached.items() if start in ends}


@every_package
def test_no_arrow_points_up_between_rooms(package: Package) -> None:
    for folder in sorted({module.name.rpartition(".")[0] for module in package.modules} - {"", "lerobot"}):
        found = arrows(package, folder)
        standing, known = circles(set(found)), CIRCLES.get(folder, set())
        between = [line for (start, end), lines in found.items() if {start, end} <= standing for line in lines]
        assert standing <= known, "\n".join([f"rooms of {folder} in a circle:", *between])
        assert known <= standing, f"{sorted(known - standing)} of {folder} are mended: take them out of CIRCLES"


def test_every_known_circle_is_in_a_folder_that_exists() -> None:
    folders = {module.name.rpartition(".")[0] for package in packages() for module in package.modules}
    assert set(CIRCLES) <= folders


def test_a_circle_would_be_found() -> None:
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")}) == {"a", "b", "c"}
    assert not circles({("a", "b"), ("b", "c"), ("a", "c")})
