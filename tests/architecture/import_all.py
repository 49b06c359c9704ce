"""Import every module below a source folder; run in an environment that holds one package and what it declares."""

import importlib
import sys
from pathlib import Path


def main(source: Path) -> int:
    failed = 0
    for file in sorted(source.rglob("*.py")):
        parts = file.relative_to(source).with_suffix("").parts
        if "templates" in parts:
            continue
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except ImportError as error:
            sys.stderr.write(f"{name}: {error}\n")
            failed += 1
    sys.stdout.write(f"{source}: {'every module imports' if not failed else f'{failed} modules fail'}\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
