"""Bring uv, from the Python package index, to a folder: `python3 bring_uv.py FOLDER`.

With pip where there is one, for it knows this machine's index, proxy and certificates; else with the standard library
alone, as on Debian's plain python3. Neither touches the system's packages, so that an externally managed Python
(PEP 668) is no obstacle.
"""

import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

INDEX = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
MACHINES = {
    ("linux", "x86_64"): "manylinux_2_17_x86_64.manylinux2014_x86_64",
    ("linux", "aarch64"): "manylinux_2_17_aarch64.manylinux2014_aarch64",
    ("darwin", "x86_64"): "macosx_10_12_x86_64",
    ("darwin", "arm64"): "macosx_11_0_arm64",
}
"""The wheels of uv by system and processor, as they are named on the index."""


def by_pip(folder: Path) -> bool:
    """Whether pip is there and brought it."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        return False
    return not subprocess.run(
        [*pip, "install", "--quiet", "--upgrade", "--target", str(folder), "uv"], check=False
    ).returncode


def fetched(address: str, accepted: str) -> bytes:
    """What the index answers; it is an address of this file or of the user's own settings."""
    request = urllib.request.Request(address, headers={"Accept": accepted})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def version(wheel: str) -> tuple[int, ...]:
    """Its numbers, to be compared; a preview is older than everything."""
    numbers = wheel.split("-")[1].split(".")
    return tuple(map(int, numbers)) if all(number.isdigit() for number in numbers) else ()


def by_hand(folder: Path) -> None:
    """Download the wheel, compare its hash with the index's, and unpack the program.

    Raises:
        SystemExit: no wheel for this machine, or not what the index promised.
    """
    ending = MACHINES.get((sys.platform, platform.machine()))
    if ending is None:
        raise SystemExit(f"no uv is known for {sys.platform} on {platform.machine()}: see https://docs.astral.sh/uv/")
    page = f"{INDEX.rstrip('/')}/uv/"
    files = json.loads(fetched(page, "application/vnd.pypi.simple.v1+json"))["files"]
    fitting = [file for file in files if f"-{ending}." in file["filename"] and not file.get("yanked")]
    newest = max(fitting, key=lambda file: version(file["filename"]))
    wheel = fetched(urllib.parse.urljoin(page, newest["url"]), "*/*")
    if hashlib.sha256(wheel).hexdigest() != newest["hashes"]["sha256"]:
        raise SystemExit(f"{newest['filename']} is not what {page} promised: its hash differs")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        program = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        target = folder / "bin" / "uv"
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_suffix(".part")
        aside.write_bytes(archive.read(program))
        aside.chmod(0o755)
        aside.replace(target)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    try:
        if not by_pip(place):
            by_hand(place)
    except OSError as error:
        sys.exit(f"uv could not be brought ({error}): install it as https://docs.astral.sh/uv/ says")
