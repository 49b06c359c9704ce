"""Run the import lines of programs beside huggingface/lerobot, and print those that fail as JSON."""

import ast
import json
import sys
from pathlib import Path


def failures(folder: Path) -> list[str]:
    """`file: line: what Python says` of every import that does not work."""
    failed = []
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                line = ast.unparse(node)
                try:
                    exec(line, {})
                except ImportError as error:
                    failed.append(f"{file.name}: {line}: {error}")
    return failed


if __name__ == "__main__":
    json.dump(failures(Path(sys.argv[1])), sys.stdout)
