"""Give every package a new version, and the range of versions they need of each other: all are released together."""

import re
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[2]


def needed(version: str) -> str:
    """What packages of this version need of each other: what was released with them, or later."""
    release = Version(version).release
    return f">={release[0]}.{release[1]},<{release[0] + 1}"


def rewritten(text: str, version: str) -> str:
    """A `pyproject.toml` with its version changed, and the range of every package of ours it needs."""
    return ranged(re.sub(r'^version = "[^"]+"$', f'version = "{version}"', text, count=1, flags=re.MULTILINE), version)


def ranged(text: str, version: str) -> str:
    """A `pyproject.toml` with the range of every package of ours it needs changed."""
    return re.sub(r'"(lerobot-[\w-]+(?:\[[\w,-]+\])?)[<>=][^"]*"', rf'"\1{needed(version)}"', text)


def templates() -> list[Path]:
    """The `pyproject.toml` of every template of a plugin."""
    return sorted((ROOT / "packages").glob("*/src/**/templates/*/*/pyproject.toml"))


def main(version: str) -> None:
    try:
        Version(version)
    except InvalidVersion as error:
        sys.exit(f"{error}; expected a version such as 0.2.0")
    for file in sorted((ROOT / "packages").glob("*/pyproject.toml")):
        file.write_text(rewritten(file.read_text(encoding="utf-8"), version), encoding="utf-8")
    for file in templates():
        file.write_text(ranged(file.read_text(encoding="utf-8"), version), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
