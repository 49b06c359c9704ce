"""Make `clean_environment` and small models of packages importable: test folders are no packages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
for _name in ("groot", "multi-task-dit", "pi0", "smolvla", "xvla"):
    sys.path.append(str(Path(__file__).parents[2] / "packages" / f"lerobot-{_name}" / "tests"))
