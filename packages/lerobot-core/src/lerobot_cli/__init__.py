"""Console entry: starts `lerobot.core`'s command line, or explains why the name `lerobot` is taken.

`lerobot` is a namespace shared by many distributions. Where a regular package of that name is importable as well
(huggingface/lerobot), Python picks that one and `lerobot.core` cannot be found; only a module outside the namespace
can say so.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code (0 ok, 1 failed, 2 user error, 130 interrupted)."""
    if sys.argv[1:2] == ["doctor"] and shadowing_package():
        open_namespace()
    try:
        from lerobot.core.cli.app import main as run

        code = run()
    except ModuleNotFoundError as error:
        if error.name != "lerobot.core" or not shadowing_package():
            raise
        sys.stderr.write(explain_shadowing() + "\n")
        sys.exit(2)
    except KeyboardInterrupt:  # during the imports above; what comes later answers it itself
        code = INTERRUPTED
    sys.exit(code)


def shadowing_package() -> str:
    """File of a regular package named `lerobot`; empty if the name is the namespace it should be."""
    spec = find_spec("lerobot")
    return (spec.origin or "") if spec else ""


def open_namespace() -> None:
    """Make the packages under the name `lerobot` importable in this process, whatever else bears the name.

    For `lerobot doctor`, which can then say what is wrong and mend it.
    """
    package = ModuleType("lerobot")
    package.__path__ = [str(folder) for entry in sys.path if (folder := Path(entry, "lerobot")).is_dir()]
    sys.modules["lerobot"] = package


def explain_shadowing() -> str:
    """Say which package hides the `lerobot` namespace and how to separate the two."""
    return (
        f"error: 'lerobot' is a regular package at {shadowing_package()}; it hides the plugins installed beside it.\n"
        "  expected: huggingface/lerobot and lerobot-core in environments of their own (same files, different owners)\n"
        "  either:   lerobot doctor --repair   (keep this one, and mend what was overwritten)\n"
        "  or:       uv venv other && VIRTUAL_ENV=other uv pip install ./packages/lerobot-core   (in a checkout)"
    )
