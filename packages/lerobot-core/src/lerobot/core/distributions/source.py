"""Where our packages are installed from: a checkout of this project, or a folder of built wheels.

Our names are never looked up on a package index: nothing is published yet, and anybody may claim them there. So every
package of ours that a plugin needs is given by its place as well.
"""

import json
import re
import tomllib
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.core.registry.catalog import packages_here
from lerobot.core.registry.discovery import CORE, canonical

REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?(.*)")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that holds our packages.

    Attributes:
        folder: the checkout's `packages`, or a folder of wheels.
        wheels: whether it holds wheels.
    """

    folder: Path
    wheels: bool

    @classmethod
    def at(cls, folder: Path) -> "Source":
        """Recognise a folder that a user names.

        Raises:
            ConfigError: it holds neither our packages nor wheels of them.
        """
        for place in (folder / "packages", folder):
            if (place / CORE / "pyproject.toml").exists():
                return cls(place.resolve(), wheels=False)
        if any(folder.glob("lerobot_*.whl")):
            return cls(folder.resolve(), wheels=True)
        expected = "a checkout of this project, or a folder of its wheels"
        raise ConfigError([ConfigProblem("--source", str(folder), expected)])

    def package(self, name: str) -> Path | None:
        """Place of a package of ours; None if it is not there."""
        if not self.wheels:
            place = self.folder / name
            return place if (place / "pyproject.toml").exists() else None
        return max(self.folder.glob(f"{name.replace('-', '_')}-*.whl"), default=None)

    def closure(self, wanted: str, present: set[str]) -> dict[str, str]:
        """What to install for one package of ours: its requirement with its place, and those of what it needs of ours.

        Args:
            wanted: name of the package.
            present: canonical names of what is installed, which is left out.

        Raises:
            ConfigError: a package is not in this folder.
        """
        found: dict[str, str] = {}
        waiting = [(wanted, "")]
        while waiting:
            name, extras = waiting.pop()
            if name in found or (name in present and name != wanted):
                continue
            place = self.package(name)
            if place is None:
                raise ConfigError([ConfigProblem("--source", str(self.folder), f"a folder that holds {name}")])
            found[name] = f"{name}{extras} @ {place.as_uri()}"
            for line in requirements(place):
                needed, extras, _ = split(line)
                if needed in packages_here() and not is_extra(line):
                    waiting.append((needed, extras))
        return found


def split(requirement: str) -> tuple[str, str, str]:
    """Take a requirement apart: canonical name, extras in brackets, the rest."""
    match = REQUIREMENT.match(requirement)
    return (canonical(match[1]), match[2] or "", match[3].strip()) if match else ("", "", requirement)


def is_extra(requirement: str) -> bool:
    """Whether a line of `Requires-Dist` holds only for an extra."""
    return re.search(r"\bextra\s*==", requirement) is not None


def requirements(place: Path) -> list[str]:
    """What a wheel or a project folder declares that it needs, one requirement a line."""
    if place.is_dir():
        project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        return [str(line) for line in project.get("dependencies", ())]
    return [str(line) for line in wheel_metadata(place).get_all("Requires-Dist") or ()]


def project_name(folder: Path) -> str:
    """Canonical name of the project in a folder."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    return canonical(str(project.get("name") or folder.resolve().name))


def wheel_metadata(wheel: Path) -> Any:
    """Metadata of a wheel, without installing it."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def origin(distribution: Any) -> tuple[Path, bool] | None:
    """Folder or wheel that a distribution was installed from, and whether editable; None if it does not say."""
    text = distribution.read_text("direct_url.json")
    facts = json.loads(text) if text else {}
    url = urlparse(facts.get("url", ""))
    if url.scheme != "file":
        return None
    return Path(unquote(url.path)), bool(facts.get("dir_info", {}).get("editable"))


def own_source(distributions: dict[str, Any]) -> Source | None:
    """Where `lerobot-core` itself came from, and so its packages; None if that is gone or it does not say."""
    came_from = origin(distributions[CORE]) if CORE in distributions else None
    if came_from is None:
        return None
    try:
        return Source.at(came_from[0].parent)
    except ConfigError:
        return None
