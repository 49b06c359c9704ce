"""`lerobot plugins add`: a plugin is installed from the right place, or refused with the reason."""

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.distributions.installer import Installer
from lerobot.core.distributions.ownership import installed
from lerobot.core.distributions.record import left_out, remember
from lerobot.core.distributions.source import Source, own_source, project_name, split, wheel_metadata
from lerobot.core.distributions.undeclared import undeclared
from lerobot.core.errors import ConfigError, ConfigProblem, LeRobotError
from lerobot.core.registry import KINDS, registry
from lerobot.core.registry.catalog import (
    INDEX,
    NOT_HERE,
    known_plugins,
    packages_here,
    third_party_packages,
    third_party_plugins,
)
from lerobot.core.registry.discovery import canonical, third_party_kind
from lerobot.core.registry.resolve import COMPAT

EXTRAS = {
    "dynamixel": "lerobot-dynamixel",
    "feetech": "lerobot-feetech",
    "kinematics": "lerobot-kinematics",
    "lekiwi": "lerobot-lekiwi",
    "pynput-dep": "lerobot-keyboard",
}
"""What takes the place of an extra of the peer's distribution that a plugin asks for."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a name stands for.

    Attributes:
        distribution: canonical name.
        place: requirement or path to install; empty for a package of ours, whose place is the source.
        about: who makes it and where it is had, for packages of others.
    """

    distribution: str
    place: str = ""
    about: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is a package of this repository."""
        return not self.place


def wanted(name: str, kind: str | None = None) -> Wanted:
    """Find what a name stands for.

    Args:
        name: registered name, name of a distribution however it is spelled, or path of a wheel or project.
        kind: registry kind that a registered name must have; any if None.

    Raises:
        ConfigError: nothing can be installed under this name; says why, with the nearest name.
    """
    path = Path(name).expanduser()
    if path.suffix == ".whl" and path.is_file():
        return _of_others(canonical(wheel_metadata(path)["Name"]), str(path.resolve()), "from this file")
    if "/" in name and (path / "pyproject.toml").is_file():
        return _of_others(project_name(path), str(path.resolve()), "from this folder")
    packages = set().union(*_providers(name, kind).values())
    if canonical(name) in packages_here() | third_party_packages().keys():
        packages = {canonical(name)}
    if len(packages) != 1 or packages == {""}:
        raise _refused(name, kind, packages)
    return _known(packages.pop())


def _known(distribution: str) -> Wanted:
    if distribution in packages_here():
        return Wanted(distribution)
    package = third_party_packages()[distribution]
    if package.place != INDEX:
        raise _problem(
            distribution,
            "a plugin that its owner publishes on the package index",
            f"{package.owner} keeps it at {package.place}; "
            "build a wheel of it, or fetch it, and name the file or folder: lerobot plugins add ./PATH",
        )
    return Wanted(distribution, distribution, f"made by {package.owner}, from the package index")


def _of_others(distribution: str, place: str, about: str) -> Wanted:
    if distribution in packages_here():
        raise _problem(distribution, "a plugin of others", f"it is ours: lerobot plugins add {distribution}")
    return Wanted(distribution, place, about)


def _providers(name: str, kind: str | None) -> dict[str, set[str]]:
    """Distributions that provide a registered name, by kind; the empty name where only the peer has it."""
    found: dict[str, set[str]] = {}
    for each in [kind] if kind else KINDS:
        entry = known_plugins(each).get(name) or third_party_plugins(each).get(name)
        if entry:
            found.setdefault(each, set()).add(entry.distribution)
    return found


def _refused(name: str, kind: str | None, packages: set[str]) -> ConfigError:
    expected = "a plugin, package or bundle that can be installed"
    if packages == {""}:
        return _problem(name, expected, f"it is {NOT_HERE}")
    if packages:
        kinds = ", ".join(f"lerobot plugins add {kind} {name}" for kind in _providers(name, None))
        return _problem(name, expected, f"several kinds have it: {kinds}")
    kinds_of = [kind] if kind else list(KINDS)
    names = {*packages_here(), *third_party_packages()}
    names |= {each for kind in kinds_of for each in (*known_plugins(kind), *third_party_plugins(kind))}
    near = difflib.get_close_matches(name, sorted(names), n=1) or difflib.get_close_matches(
        canonical(name), sorted(names), n=1
    )
    meant = f"; did you mean '{near[0]}'?" if near else ""
    if third_party_kind(name):
        reason = "nobody here knows who owns that name; fetch the plugin yourself and name its wheel or folder"
        return _problem(name, expected, f"{reason}{meant}")
    return _problem(name, expected, f"it is neither in this project nor a known plugin of others{meant}")


def _problem(name: str, expected: str, hint: str) -> ConfigError:
    return ConfigError([ConfigProblem("NAME", name, expected, hint)])


def add(what: Wanted, source: Source | None, installer: Installer, say: Say, *, dry_run: bool = False) -> None:
    """Install a plugin and what it needs.

    Args:
        what: see `wanted`.
        source: where our packages are; where `lerobot-core` itself came from if None.
        installer: of this environment.
        say: takes each line for the user.
        dry_run: only say what would be installed.

    Raises:
        LeRobotError: our packages' place is unknown, or the installer failed.
    """
    present = installed()
    if what.distribution in present:
        say(f"{what.distribution} {present[what.distribution].version} is installed already")
        return
    ours = _ours(what, source, set(present))
    for line in [what.place] if what.place else []:
        say(f"{what.distribution}: {what.about}, {line}, without huggingface/lerobot")
    for line in ours:
        say(line)
    if dry_run:
        return
    if what.ours:
        installer.install(ours)
    else:
        installer.install_without_peer(what.place, *ours)
        importlib.invalidate_caches()
        if brought := undeclared(installed()[what.distribution]):
            say(f"it imports what huggingface/lerobot brings along: {', '.join(brought)}")
            installer.install(brought)
    _tell(what, say)


def _ours(what: Wanted, source: Source | None, present: set[str]) -> list[str]:
    """Requirements of ours to install: the package itself, or what makes a package of others usable."""
    names = [what.distribution] if what.ours else [COMPAT]
    missing = [name for name in names if name not in present and (what.ours or name in packages_here())]
    if not missing:
        return []
    source = source or own_source(installed())
    if source is None:
        raise LeRobotError(
            f"nothing says where {missing[0]} is to be had: lerobot-core does not know where it came from.",
            hint="Name a checkout of this project, or a folder of its wheels: --source=DIR",
        )
    found: dict[str, str] = {}
    for name in missing:
        found |= source.closure(name, present | found.keys())
    return list(found.values())


def _tell(what: Wanted, say: Say) -> None:
    """Say what there is now; remember what was left out."""
    importlib.invalidate_caches()
    registry.refresh()
    distribution = installed()[what.distribution]
    if not what.ours:
        remember(what.distribution, distribution)
        for extra in sorted({part for line in left_out(distribution) for part in _extras(line)} & EXTRAS.keys()):
            if EXTRAS[extra] not in installed():
                say(f"it asks for lerobot[{extra}]: lerobot plugins add {EXTRAS[extra]}")
    names = [f"{found.kind} {found.name}" for found in registry.plugins() if found.distribution == what.distribution]
    say(f"added {what.distribution} {distribution.version}: {', '.join(names) or 'no plugin of its own'}")


def _extras(requirement: str) -> list[str]:
    return [canonical(part) for part in split(requirement)[1].strip("[] ").split(",") if part.strip()]
