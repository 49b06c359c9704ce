"""Every `bash` block after a `<!-- run -->` line in README.md and docs/ is executed; a page is one shell session.

A page with a `<!-- run slow -->` line runs in `nox -s slow`: what it shows is tried elsewhere too, or costs minutes.
That its flags are there is always tried, see `test_documented_flags`.
`./run` and `uv run` only choose the environment, so they are left out here: the environment of the tests is on the path
instead.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- run( slow)? -->\n+```bash\n(.*?)```", re.DOTALL)
PAGES = {
    str(page.relative_to(ROOT)): blocks
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if (blocks := BLOCK.findall(page.read_text(encoding="utf-8")))
}


def test_there_are_documented_commands() -> None:
    assert "README.md" in PAGES


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_a_page_uses_the_policy_that_it_trained(page: Path) -> None:
    """Without --output_dir a run gets a folder with its date, which no later line can name."""
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if not re.search(r"lerobot train .*--policy\.type", blocks):
        return
    trained = re.findall(r"--output_dir=(\S+)", blocks)
    used = re.findall(r"--policy\.path=(outputs/\S+)", blocks)
    assert not [path for path in used if not path.startswith(tuple(f"{folder}/" for folder in trained))]


def marks(page: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if any(slow for slow, _ in PAGES[page]) else []


@pytest.mark.parametrize("page", [pytest.param(page, marks=marks(page)) for page in PAGES])
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    text = "\n".join(block for _, block in PAGES[page]).replace("./run ", "").replace("uv run ", "")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HF_LEROBOT_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
