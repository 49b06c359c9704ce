"""Level 0: what is installed, from metadata alone; nothing of a plugin is imported and nothing here raises.

`LEROBOT_PLUGINS=a,b` restricts discovery to these distributions (`lerobot-core` always stays),
`LEROBOT_BLOCK_PLUGINS=c` leaves some out, and `LEROBOT_TRACE_PLUGINS=1` says on stderr what is imported when.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lerobot.core.registry.kinds import KINDS

CORE = "lerobot-core"


@dataclass(frozen=True, slots=True)
class Discovered:
    """One registered name, as its distribution's metadata states it.

    Attributes:
        kind: registry kind.
        name: registered name.
        value: where it points, `"package.module:Class"`.
        distribution: canonical name of the distribution; `"(registered)"` for one registered in this process.
        version: version of the distribution.
    """

    kind: str
    name: str
    value: str
    distribution: str
    version: str


def canonical(name: str) -> str:
    """Normalise a distribution name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def discover() -> list[Discovered]:
    """List every plugin of every kind, sorted by kind, name and distribution.

    Editable installs count: the first distribution of a name on `sys.path` wins, as it does for imports.
    """
    return sorted(_entries(), key=lambda found: (found.kind, found.name, found.distribution))


def _entries() -> Iterator[Discovered]:
    # The stdlib twin of this module costs the same; the backport is used for one behaviour on every Python.
    import importlib_metadata

    kinds = {kind.group: kind.name for kind in KINDS.values()}
    only, blocked = _names("LEROBOT_PLUGINS"), _names("LEROBOT_BLOCK_PLUGINS")
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        try:
            name = canonical(distribution.name or "")
            if not name or name in seen:
                continue
            seen.add(name)
            if name != CORE and ((only and name not in only) or name in blocked):
                continue
            for point in distribution.entry_points:
                if point.group in kinds:
                    yield Discovered(kinds[point.group], point.name, point.value, name, distribution.version or "?")
        except Exception as error:  # noqa: BLE001 - damaged metadata of one distribution must not hide the others
            trace(f"metadata of {distribution!r} is unreadable: {error}")


def _names(variable: str) -> frozenset[str]:
    text = os.environ.get(variable, "")
    return frozenset(canonical(part.strip()) for part in text.split(",") if part.strip())


def trace(message: str, **facts: Any) -> None:
    """Write one line to stderr if `LEROBOT_TRACE_PLUGINS` is set."""
    if os.environ.get("LEROBOT_TRACE_PLUGINS"):
        extra = "".join(f" {key}={value}" for key, value in facts.items())
        sys.stderr.write(f"[lerobot {time.monotonic():.3f}] {message}{extra}\n")
