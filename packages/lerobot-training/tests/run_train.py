"""`lerobot train` as a script, for launchers that start files."""

import sys

from lerobot_cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
