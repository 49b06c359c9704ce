"""Compare built wheels with what a package index serves under their names: `nox -s index -- URL`.

Anybody can register a name. Before one is published, and after, whoever types `pip install NAME` must get what was
built here or nothing. An index is asked only when it is named; for each wheel this prints what a user would get today.
"""

import hashlib
import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from lerobot.core.distributions.ownership import SOURCE, source_of

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Served:
    """What an index gives to whoever asks for a name.

    Attributes:
        verdict: `"nothing"`, `"ours"` or `"NOT OURS"`.
        why: version, and by what it was recognised.
    """

    verdict: str
    why: str


def compared(wheel: Path, index: str) -> Served:
    """Say what the index serves under the name of a wheel."""
    name, *_ = parse_wheel_filename(wheel.name)
    files = [file for file in _files(index, str(name)) if not file.get("yanked") and _version(file) is not None]
    if not files:
        return Served("nothing", "the name is free, or holds no file")
    newest = max(version for file in files if (version := _version(file)))
    found = [file for file in files if _version(file) == newest]
    same = [file for file in found if file["filename"] == wheel.name]
    if same:
        equal = same[0]["hashes"].get("sha256") == hashlib.sha256(wheel.read_bytes()).hexdigest()
        return Served("ours" if equal else "NOT OURS", f"{newest}, contents {'equal' if equal else 'differ'}")
    source = next((_source(index, str(name), file) for file in found if file.get("core-metadata")), "")
    return Served("ours" if source == SOURCE else "NOT OURS", f"{newest}, from {source or 'an unknown source'}")


def _files(index: str, name: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(_page(index, name), headers={"Accept": SIMPLE_JSON})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["files"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise


def _page(index: str, name: str) -> str:
    return f"{index.rstrip('/')}/{name}/"


def _version(file: dict[str, Any]) -> Version | None:
    for parse in (parse_wheel_filename, parse_sdist_filename):
        try:
            return parse(file["filename"])[1]
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
    return None


def _source(index: str, name: str, file: dict[str, Any]) -> str:
    with urllib.request.urlopen(urljoin(_page(index, name), file["url"]) + ".metadata", timeout=30) as answer:
        metadata = HeaderParser().parsestr(answer.read().decode("utf-8"))
    return source_of(metadata.get_all("Project-URL") or ())


def main(index: str, wheels: str) -> int:
    served = {wheel: compared(wheel, index) for wheel in sorted(Path(wheels).glob("*.whl"))}
    if not served:
        sys.exit(f"no wheels in {wheels}: build them, nox -s wheels")
    for wheel, found in served.items():
        sys.stdout.write(f"{wheel.name.partition('-')[0]:<28}{found.verdict:<10}{found.why}\n")
    strangers = [wheel for wheel, found in served.items() if found.verdict == "NOT OURS"]
    sys.stdout.write(f"{len(served)} names, {len(strangers)} that somebody else has\n")
    return int(bool(strangers))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
