"""A robot that `lerobot new` wrote has its page in the studio, and moves there: nobody wrote a line for it."""

import site
import subprocess
import sys
from collections.abc import Iterator

import pytest
from studio_process import Studio

from lerobot.core.commands.new import NewConfig
from lerobot.core.template.command import new
from lerobot.core.testing import ScriptedPrompter

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio in an environment where the plugin is installed, that sees the packages of this one."""
    folder = tmp_path_factory.mktemp("plugin")
    new(NewConfig(plugin="robot", name="my-arm", output_dir=folder), ScriptedPrompter())
    environment = folder / "environment"
    _run("uv", "venv", "-q", "--python", sys.executable, str(environment))
    packages = next(environment.glob("lib/python*/site-packages"))
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    python = environment / "bin" / "python"
    _run(
        "uv", "pip", "install", "-q", "--no-deps", "--offline", "-p", str(python), "-e", str(folder / "lerobot-my-arm")
    )
    studio = Studio(folder / "studio", python)
    try:
        yield studio.start()
    finally:
        studio.close()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
