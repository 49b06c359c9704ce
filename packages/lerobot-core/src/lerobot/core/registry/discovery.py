"""Level 0: what is installed, from metadata alone; nothing of a plugin is imported and nothing here raises.

`LEROBOT_PLUGINS=a,b` restricts discovery to these distributions (`lerobot-core` always stays),
`LEROBOT_BLOCK_PLUGINS=c` leaves some out, and `LEROBOT_TRACE_PLUGINS=1` says on stderr what is imported when.
"""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lerobot.core.registry.api import API_GROUP, PLUGIN_API, UNDECLARED_API
from lerobot.core.registry.kinds import KINDS

CORE = "lerobot-core"
THIRD_PARTY_KINDS = frozenset({"robot", "teleoperator", "camera", "policy", "env"})
"""Kinds whose plugins huggingface/lerobot finds by the name of their distribution, `lerobot_KIND_anything`."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """One registered name, as its distribution's metadata states it.

    Attributes:
        kind: registry kind.
        name: registered name.
        value: where it points, `"package.module:Class"`.
        distribution: canonical name of the distribution; `"(registered)"` for one registered in this process.
        version: version of the distribution.
        api: plugin API the distribution is made for.
        through: distribution whose `PluginFinder` found it; empty for one that declares itself.
    """

    kind: str
    name: str
    value: str
    distribution: str
    version: str
    api: int = PLUGIN_API
    through: str = ""


def canonical(name: str) -> str:
    """Normalise a distribution name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Damaged:
    """A distribution whose metadata cannot be read, or an entry point that is not one.

    Attributes:
        distribution: canonical name of the distribution, or the folder of its metadata.
        cause: what is wrong with it, on one line.
    """

    distribution: str
    cause: str


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A distribution that is a plugin of huggingface/lerobot by its name and declares nothing to us.

    Attributes:
        kind: registry kind its name says.
        distribution: canonical name, `"lerobot-robot-my-arm"`.
        version: version of the distribution.
    """

    kind: str
    distribution: str
    version: str


class PluginFinder(Protocol):
    """What an entry point of `lerobot.finders` names, an object or a module: it makes third-party plugins usable."""

    def find(self, distributions: Sequence[ThirdParty]) -> tuple[list[Discovered], list[Damaged]]:
        """List what these distributions register, importing none of them, and which of them cannot be read."""
        ...

    def adapted(self, found: Discovered, loaded: object) -> type | None:
        """Make our configuration class of what a plugin's entry names; None if it is nothing the finder knows."""
        ...


def discover() -> tuple[list[Discovered], list[Damaged], list[ThirdParty]]:
    """List every plugin of every kind, sorted by kind, name and distribution; what could not be read; third parties.

    Editable installs count: the first distribution of a name on `sys.path` wins, as it does for imports.
    """
    # The backport is used for one behaviour on every Python.
    import importlib_metadata

    only, blocked = _names("LEROBOT_PLUGINS"), _names("LEROBOT_BLOCK_PLUGINS")
    plugins: list[Discovered] = []
    damaged: list[Damaged] = []
    third_party: dict[str, ThirdParty] = {}
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        name = ""
        try:
            # Most distributions are no plugins: the one small file decides before any other is opened.
            text = distribution.read_text("entry_points.txt") or ""
            if "[lerobot." not in text:
                if (other := _third_party(distribution)) and _wanted(other.distribution, only, blocked):
                    third_party.setdefault(other.distribution, other)
                continue
            name = canonical(distribution.name or "")
            if not name:
                raise ValueError("METADATA has no Name")
            if name in seen:
                continue
            seen.add(name)
            if name == CORE or _wanted(name, only, blocked):
                for found in _entries(distribution, name):
                    (plugins if isinstance(found, Discovered) else damaged).append(found)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - damaged metadata of one distribution must not hide the others
            place = getattr(distribution, "_path", distribution)
            damaged.append(Damaged(name or str(place), f"{type(error).__name__}: {error}".splitlines()[0]))
    plugins.sort(key=lambda found: (found.kind, found.name, found.distribution))
    return plugins, damaged, sorted(third_party.values(), key=lambda found: found.distribution)


def third_party_kind(distribution: str) -> str:
    """Kind of plugin that a distribution's name says, as huggingface/lerobot reads it; empty if it says none."""
    parts = canonical(distribution).split("-", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "lerobot" and parts[1] in THIRD_PARTY_KINDS else ""


def _third_party(distribution: Any) -> ThirdParty | None:
    # The name of the metadata's folder says it, so that no other distribution's metadata is opened.
    folder = os.path.basename(str(getattr(distribution, "_path", "")))  # noqa: PTH119 - pathlib is a dearer import
    kind = third_party_kind(folder)
    return ThirdParty(kind, canonical(distribution.name), distribution.version or "?") if kind else None


def _wanted(name: str, only: frozenset[str], blocked: frozenset[str]) -> bool:
    return (not only or name in only) and name not in blocked


def _entries(distribution: Any, name: str) -> Iterator[Discovered | Damaged]:
    kinds = {kind.group: kind.name for kind in KINDS.values()}
    version = distribution.version or "?"
    points = [point for point in distribution.entry_points if point.group.startswith("lerobot.")]
    api = _declared_api([point.name for point in points if point.group == API_GROUP])
    points = [point for point in points if point.group != API_GROUP]
    if not points:
        yield Damaged(name, "entry_points.txt mentions lerobot but holds no entry point of a lerobot group")
    for point in points:
        if point.group in kinds:
            yield Discovered(kinds[point.group], point.name, point.value, name, version, api)
        else:
            yield Damaged(name, f"entry-point group '{point.group}' is not one of {', '.join(kinds)}")


def _declared_api(names: list[str]) -> int:
    if not names:
        return UNDECLARED_API
    if len(names) > 1 or not names[0].isdecimal():
        raise ValueError(f"entry-point group '{API_GROUP}' holds {', '.join(names)}, expected one whole number")
    return int(names[0])


def _names(variable: str) -> frozenset[str]:
    text = os.environ.get(variable, "")
    return frozenset(canonical(part.strip()) for part in text.split(",") if part.strip())


def trace(message: str, **facts: Any) -> None:
    """Write one line to stderr if `LEROBOT_TRACE_PLUGINS` is set."""
    if os.environ.get("LEROBOT_TRACE_PLUGINS"):
        extra = "".join(f" {key}={value}" for key, value in facts.items())
        sys.stderr.write(f"[lerobot {time.monotonic():.3f}] {message}{extra}\n")
