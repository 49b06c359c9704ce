"""Print the public modules of an installed huggingface/lerobot and the names they define, as JSON.

Runs in its environment, and imports nothing of it: names are read out of the source.
"""

import ast
import json
import sys
from importlib.util import find_spec
from pathlib import Path


def names(file: Path) -> list[str]:
    """What a module defines, and of a package what it hands on; names that begin with an underscore are private."""
    defined: list[str] = []
    tree = ast.parse(file.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and "TypeVar(" in ast.unparse(node.value):
            continue
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            defined.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined += [target.id for target in targets if isinstance(target, ast.Name)]
        elif (
            isinstance(node, ast.ImportFrom)
            and file.name == "__init__.py"
            and node.module != "lerobot.utils.import_utils"
        ):
            defined += [alias.asname or alias.name for alias in node.names]
    return sorted({name for name in defined if not name.startswith("_") and name not in {"*", "logger", "annotations"}})


def main() -> None:
    spec = find_spec("lerobot")
    root = Path(spec.origin).parent
    found = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if any(part.startswith("_") for part in parts) or "templates" in parts:
            continue
        if listed := names(file):
            found[".".join(["lerobot", *parts])] = listed
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
