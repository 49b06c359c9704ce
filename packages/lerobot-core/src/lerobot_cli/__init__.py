"""Console entry: starts `lerobot.core`'s command line, or explains why the name `lerobot` is taken.

`lerobot` is a namespace shared by many distributions. Where a regular package of that name is importable as well
(huggingface/lerobot), Python picks that one and `lerobot.core` cannot be found; only a module outside the namespace
can say so.
"""

import sys
from importlib.util import find_spec

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code (0 ok, 1 failed, 2 user error, 130 interrupted)."""
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


def explain_shadowing() -> str:
    """Say which package hides the `lerobot` namespace and how to separate the two."""
    return (
        f"error: 'lerobot' is a regular package at {shadowing_package()}; it hides the plugins installed beside it.\n"
        "  expected: huggingface/lerobot and lerobot-core in environments of their own (same files, different owners)\n"
        "  either:   uv pip uninstall lerobot   (keep this one)\n"
        "  or:       uv venv other && VIRTUAL_ENV=other uv pip install ./packages/lerobot-core   (in a checkout)"
    )
