"""A clean virtual environment with packages installed from built wheels, and how to run things in it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment.update(options.pop("env", {}))  # type: ignore[call-overload]
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        env=environment,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def done(*command: str | Path, **options: object) -> str:
    result = run(*command, **options)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def install(folder: Path, *packages: str | Path, python: str = sys.executable, compiled: bool = True) -> Path:
    """Make a virtual environment in `folder` for an interpreter; install packages, ours from LEROBOT_WHEELS.

    Compiling bytecode belongs to an installation whose size is measured; of torch's thousand modules few are used.
    """
    wheels = Path(os.environ["LEROBOT_WHEELS"]).resolve()
    # The version of our packages stays while their wheels change.
    ours: Sequence[str] = sorted({wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels.glob("*.whl")})
    done("uv", "venv", "-q", "--python", python, folder)
    options = [
        "-q",
        *(["--compile-bytecode"] if compiled else []),
        f"--find-links={wheels}",
        *(f"--refresh-package={name}" for name in ours),
    ]
    done("uv", "pip", "install", *options, *packages, env={"VIRTUAL_ENV": str(folder)})
    return folder
