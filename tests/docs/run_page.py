"""Execute the `<!-- run engines -->` blocks of a page as one shell session: `run_page.py PAGE ENVIRONMENT`.

The environment of the engines is `engines` in the folder of the session; the one that runs this is on the path.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"<!-- run engines -->\n+```bash\n(.*?)```", re.DOTALL)


def main(page: Path, engines: Path) -> int:
    """Run a page.

    Returns:
        The exit code of its commands.
    """
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks, f"{page} has no commands to run"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "engines").symlink_to(engines.absolute())
        line = ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)]
        return subprocess.run(line, cwd=folder, env={**os.environ, "PATH": path}, check=False, timeout=540).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
