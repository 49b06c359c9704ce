"""An environment into which huggingface/lerobot slipped: what it hides or overwrote, and putting it right.

Its distribution `lerobot` is a regular package over the namespace that our packages share. In the same folder it
overwrites modules and scripts of ours; from another folder it hides them all; and taking it out deletes the files that
both own. So it is taken out first, and then each package of ours that lost files is installed anew from its place.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lerobot.core.distributions.installer import Installer
from lerobot.core.distributions.ownership import PEER, installed, lost_files
from lerobot.core.distributions.source import Source, origin, own_source
from lerobot.core.registry.catalog import packages_here

Say = Callable[[str], None]
REPAIR = "lerobot doctor --repair"


def damage(distributions: dict[str, Any]) -> Iterator[str]:
    """Say what is wrong between the peer's distribution and ours, one problem after the other."""
    if PEER in distributions:
        yield (
            f"huggingface/lerobot {distributions[PEER].version} is in this environment; it hides or overwrites our "
            f"packages\n  Take it out and mend them: {REPAIR}"
        )
    for name, files in _damaged(distributions).items():
        gone = f"{files[0]} is gone" if len(files) == 1 else f"{len(files)} files are gone, such as {files[0]}"
        yield f"{name}: {gone}\n  Install it anew: {REPAIR}"


def _damaged(distributions: dict[str, Any]) -> dict[str, list[Path]]:
    ours = sorted(packages_here() & distributions.keys())
    return {name: files for name in ours if (files := lost_files(distributions[name]))}


def repair(source: Source | None, installer: Installer, say: Say) -> bool:
    """Take the peer's distribution out and install anew what lost files.

    Args:
        source: where our packages are, for those that do not know where they came from.
        installer: of this environment.
        say: takes each line for the user.

    Returns:
        Whether nothing is left to do.

    Raises:
        LeRobotError: the installer failed.
    """
    distributions = installed()
    source = source or own_source(distributions)
    # Before anything is taken out, while it can still be read.
    places = {name: _place(name, distributions[name], source) for name in packages_here() & distributions.keys()}
    if PEER in distributions:
        version = distributions[PEER].version
        installer.uninstall(PEER)
        say(f"took out huggingface/lerobot {version}")
    whole = True
    for name in _damaged(distributions):
        place, editable = places[name]
        if place is None:
            say(f"{name} lost files and does not know where it came from; name the place: {REPAIR} --source=DIR")
            whole = False
            continue
        installer.reinstall(place, editable=editable)
        say(f"installed {name} anew from {place}")
    return whole


def _place(name: str, distribution: Any, source: Source | None) -> tuple[Path | None, bool]:
    came_from = origin(distribution)
    if came_from is not None and came_from[0].exists():
        return came_from
    return (source.package(name) if source else None), False
