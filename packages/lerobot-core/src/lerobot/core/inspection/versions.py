"""Versions read from package metadata, so that nothing heavy is imported to name it."""

import platform
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import importlib_metadata

from lerobot.core.registry import registry

_TORCH_FACT = re.compile(r"^(cuda)\b[^=]*=\s*(.+)$", re.MULTILINE)


def versions() -> dict[str, str]:
    """Everything `lerobot info` says, by heading."""
    cuda = _torch_cuda()
    gpu = _first_line("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    ffmpeg = re.match(r"ffmpeg version (\S+)", _first_line("ffmpeg", "-version"))
    return {
        "LeRobot version": _version("lerobot-core"),
        "Platform": platform.platform(),
        "Python version": platform.python_version(),
        "Huggingface Hub version": _version("huggingface-hub"),
        "Transformers version": _version("transformers"),
        "Datasets version": _version("datasets"),
        "Numpy version": _version("numpy"),
        "FFmpeg version": ffmpeg[1] if ffmpeg else "N/A",
        "PyTorch version": _version("torch"),
        "Torchcodec version": _version("torchcodec"),
        "Is PyTorch built with CUDA support?": str(cuda not in {"None", "N/A"}) if cuda != "N/A" else "N/A",
        "Cuda version": cuda if cuda != "None" else "N/A",
        "GPU model": gpu or "N/A",
        "Using GPU in script?": "<fill in>",
        "lerobot scripts": str([f"lerobot-{name}" for name in registry.names("command")]),
        "lerobot packages": ", ".join(_packages()) or "none",
    }


def _version(distribution: str) -> str:
    try:
        return importlib_metadata.version(distribution)
    except importlib_metadata.PackageNotFoundError:
        return "N/A"


def _packages() -> list[str]:
    return sorted({f"{found.distribution} {found.version}" for found in registry.plugins() if found.version})


def _torch_cuda() -> str:
    """CUDA version PyTorch was built with, `None` for a build without, read from its own version file."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return "N/A"
    file = Path(spec.origin).with_name("version.py")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found: dict[str, str] = dict(_TORCH_FACT.findall(text))
    return found.get("cuda", "N/A").strip("'\"")


def _first_line(*command: str) -> str:
    """First line that a program prints; empty if it is not installed or fails."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.splitlines() or [""])[0] if done.returncode == 0 else ""
