"""What the studio takes: space on the disk, memory, and packages that it must not need."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
LARGEST_MB = 60
HEAVY = ("torch", "numpy", "pyarrow", "av", "cv2")


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_core_and_studio_are_small(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run("uv", "venv", "-q", "--python", sys.executable, environment)
    packages = [ROOT / "packages" / name for name in ("lerobot-core", "lerobot-studio")]
    run("uv", "build", "-q", "--wheel", "--out-dir", tmp_path, packages[0])
    run("uv", "build", "-q", "--wheel", "--out-dir", tmp_path, packages[1])
    run("uv", "pip", "install", "-q", "-p", environment / "bin" / "python", "--link-mode=copy", *tmp_path.glob("*.whl"))
    installed = next(environment.glob("lib/python*/site-packages"))
    size_mb = sum(path.stat().st_size for path in installed.rglob("*") if path.is_file()) / 1e6
    print(f"core and studio, installed: {size_mb:.1f} MB")
    assert size_mb < LARGEST_MB
    assert not [name for name in HEAVY if (installed / name).exists()]
    assert "--open_browser" in run(environment / "bin" / "lerobot", "studio", "--help")
