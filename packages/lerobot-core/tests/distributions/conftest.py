"""Wheels made on the spot, and an environment that they can be installed into without a network."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest


def wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    source: str = "",
    entry_points: str = "",
) -> Path:
    """Write a wheel as the specification lays it out."""
    stem = f"{name.replace('-', '_')}-{version}"
    lines = [f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}"]
    lines += [f"Project-URL: Source, {source}"] if source else []
    lines += [f"Requires-Dist: {line}" for line in requires]
    contents = dict(files)
    contents[f"{stem}.dist-info/METADATA"] = "\n".join(lines) + "\n"
    contents[f"{stem}.dist-info/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        contents[f"{stem}.dist-info/entry_points.txt"] = entry_points
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in contents.items()]
    contents[f"{stem}.dist-info/RECORD"] = "\n".join([*record, f"{stem}.dist-info/RECORD,,"]) + "\n"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in contents.items():
            archive.writestr(inside, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Environment:
    """A virtual environment that sees the packages of this one behind its own, and reaches no network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.variables = {**os.environ, "UV_OFFLINE": "1", "LEROBOT_PLUGINS": "", "COLUMNS": "200"}
        self.variables.pop("VIRTUAL_ENV", None)
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, folder], check=True, timeout=60)
        self.site = next(folder.glob("lib/python*/site-packages"))
        (self.site / "behind.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    def uv(self, *arguments: str | Path) -> None:
        command = ["uv", "pip", *map(str, arguments), "--python", str(self.python)]
        subprocess.run(command, check=True, capture_output=True, env=self.variables, timeout=60)

    def lerobot(self, *arguments: str | Path, plugins: str = "") -> subprocess.CompletedProcess[str]:
        code = "import sys, lerobot_cli; sys.argv[0] = 'lerobot'; lerobot_cli.main()"
        return subprocess.run(
            [self.python, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**self.variables, "LEROBOT_PLUGINS": plugins},
            timeout=120,
            check=False,
        )


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Writes a wheel into the test's folder; see `wheel`."""
    return partial(wheel, tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    return Environment(tmp_path / "environment")
