"""Which installed distributions are ours, which only bear our names, and which lost files."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.registry.catalog import packages_here
from lerobot.core.registry.discovery import canonical

SOURCE = "https://github.com/lerobot-plugins/lerobot"
"""What every package of this repository states as its source."""
PEER = "lerobot"
"""Distribution of huggingface/lerobot: a regular package over the namespace that our packages share."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A distribution that has a name of ours and was not made here.

    Attributes:
        name: canonical name.
        version: its version.
        source: where it says it comes from; empty if it does not say.
    """

    name: str
    version: str
    source: str


def installed() -> dict[str, Any]:
    """Every distribution by canonical name; the first on `sys.path` wins, as it does for imports."""
    import importlib_metadata

    found: dict[str, Any] = {}
    for distribution in importlib_metadata.distributions():
        try:
            name = str(distribution.metadata["Name"])
        except (OSError, TypeError, ValueError):
            continue  # damaged metadata, which the registry reports where it is a plugin's
        found.setdefault(canonical(name), distribution)
    return found


def source_of(project_urls: Iterable[str]) -> str:
    """Address of a distribution's source, of its metadata's `Project-URL` lines; else the first address; else empty."""
    urls = dict(re.split(r"\s*,\s*", line, maxsplit=1) for line in project_urls if "," in line)
    named = {label.lower(): url for label, url in urls.items()}
    return str(named.get("source") or named.get("repository") or next(iter(urls.values()), ""))


def strangers(distributions: dict[str, Any]) -> list[Stranger]:
    """List distributions under our names that say they come from elsewhere, or say nothing.

    Anybody can register a name on a package index; what is installed under one of ours would be imported as ours.
    """
    found = []
    for name in sorted(packages_here() & distributions.keys()):
        distribution = distributions[name]
        source = source_of(distribution.metadata.get_all("Project-URL") or ())
        if source != SOURCE:
            found.append(Stranger(name, distribution.version, source))
    return found


def lost_files(distribution: Any) -> list[Path]:
    """Files that a distribution installed and that are gone, as after a package that owned the same ones went."""
    # `distribution.files` leaves those out that are gone.
    lines = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    files = [Path(distribution.locate_file(line[0])) for line in lines if line]
    return [file for file in files if "__pycache__" not in file.parts and not file.exists()]
