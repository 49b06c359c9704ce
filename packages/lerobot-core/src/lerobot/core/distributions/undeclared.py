"""What plugins import and do not declare, because huggingface/lerobot brings it along."""

import ast
import importlib.util
from collections.abc import Iterator
from typing import Any

BROUGHT = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "draccus": "draccus",
    "einops": "einops",
    "gymnasium": "gymnasium",
    "huggingface_hub": "huggingface-hub",
    "numpy": "numpy",
    "packaging": "packaging",
    "requests": "requests",
    "safetensors": "safetensors",
    "termcolor": "termcolor",
    "torch": "torch",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
}
"""Modules of what every huggingface/lerobot 0.6.1 requires, by its metadata, and the distribution of each."""


def undeclared(distribution: Any) -> list[str]:
    """Distributions that a plugin counts on huggingface/lerobot to bring, and that are not here.

    The plugin's source is read, not run. Only what a module imports as it is loaded counts: what stands in a function,
    in `try` or below `if` may be optional.
    """
    files = [file for file in distribution.files or () if file.suffix == ".py"]
    modules = {module for file in files for module in _imported(distribution.locate_file(file))}
    return sorted(BROUGHT[module] for module in modules & BROUGHT.keys() if importlib.util.find_spec(module) is None)


def _imported(file: Any) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError:
        return  # Python says so when the plugin is loaded, if this file is ever needed
    for statement in tree.body:
        names: list[str] = []
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            names = [statement.module or ""]
        yield from (name.partition(".")[0] for name in names)
