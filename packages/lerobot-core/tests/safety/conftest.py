"""The test files share `moved_clock`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
