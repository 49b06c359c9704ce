"""Install each package alone and import every module of it there: what a package imports, it declares.

`nox -s isolated` runs it. An environment is made for each core and turned from one package into the next, which moves
only the difference, and the bytecode of its libraries is written once, beside it.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".nox"

LEFT_OUT = {"lerobot-tensorrt": "engine"}
"""By package the extra that is not installed: TensorRT's placeholder fetches gigabytes from NVIDIA's own index."""


def checked(package: str, place: Path) -> str:
    """What is wrong with a package that is installed alone in this place, or nothing."""
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place), "PYTHONPYCACHEPREFIX": f"{place}-bytecode"}
    sync = ["uv", "sync", "-q", "--frozen", "--no-default-groups", "--all-extras", "--package", package]
    sync += ["--no-extra", LEFT_OUT[package]] if package in LEFT_OUT else []
    imports = [place / "bin/python", "tests/architecture/import_all.py", f"packages/{package}/src"]
    for command in (sync, imports):
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{package}:\n{done.stdout}{done.stderr}"
    return ""


def main(packages: list[str]) -> int:
    places: SimpleQueue[Path] = SimpleQueue()
    for number in range(count := min(os.cpu_count() or 1, len(packages))):
        shutil.rmtree(FOLDER / f"isolated-{number}", ignore_errors=True)
        places.put(FOLDER / f"isolated-{number}")

    def check(package: str) -> str:
        place = places.get()
        try:
            return checked(package, place)
        finally:
            places.put(place)

    with ThreadPoolExecutor(count) as threads:
        wrong = [text for text in threads.map(check, packages) if text]
    sys.stdout.write("\n".join(wrong) or f"{len(packages)} packages import what they declare\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
