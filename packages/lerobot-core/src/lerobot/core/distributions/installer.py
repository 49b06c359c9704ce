"""The installer of this environment: uv where there is one, else pip."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lerobot.core.distributions.ownership import PEER
from lerobot.core.distributions.source import is_extra, split
from lerobot.core.errors import LeRobotError

OVERRIDES = f"{PEER} ; sys_platform == 'never'\n"
"""Makes uv leave the peer's distribution out, also where a dependency of a dependency asks for it."""

Run = Callable[[Sequence[str]], str]


def run(command: Sequence[str]) -> str:
    """Run an installer and hand on what it prints.

    Returns:
        Its standard output.

    Raises:
        LeRobotError: it failed; carries the last lines it wrote.
    """
    done = subprocess.run(list(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n  ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-6:])
        raise LeRobotError(f"{' '.join(command)}\n  {said}")
    return done.stdout


class Installer:
    """Puts distributions into the environment of this interpreter, and takes them out.

    Args:
        uv: the program; None where there is none.
        run: starts a command and returns its output.
    """

    def __init__(self, uv: str | None, run: Run = run) -> None:
        self._uv = uv
        self._run = run

    @classmethod
    def here(cls, run: Run = run) -> "Installer":
        """The one there is.

        Raises:
            LeRobotError: there is neither uv nor pip.
        """
        uv = shutil.which("uv")
        if uv is None and importlib.util.find_spec("pip") is None:
            raise LeRobotError("neither uv nor pip is in this environment.", hint=f"{sys.executable} -m ensurepip")
        return cls(uv, run)

    def install(self, requirements: Sequence[str]) -> None:
        """Install requirements and what they need."""
        self._run([*self._pip("install"), *requirements])

    def install_without_peer(self, requirement: str, *others: str) -> None:
        """Install a third-party plugin and what it needs, except huggingface/lerobot.

        Args:
            requirement: the plugin: a name, or the path of a wheel or project.
            *others: requirements of ours to install in the same step.

        Raises:
            LeRobotError: the installer failed, or the plugin's dependencies need the peer, which only uv leaves out.
        """
        if self._uv is None:
            self._install_with_pip(requirement, others)
            return
        with tempfile.TemporaryDirectory(prefix="lerobot-") as folder:
            overrides = Path(folder, "overrides.txt")
            overrides.write_text(OVERRIDES, encoding="utf-8")
            self._run([*self._pip("install"), "--overrides", str(overrides), requirement, *others])

    def _install_with_pip(self, requirement: str, others: Sequence[str]) -> None:
        """Pip leaves nothing out: the plugin comes without dependencies, and they come without the peer."""
        plan = [*self._pip("install"), "--dry-run", "--quiet", "--ignore-installed", "--report", "-"]
        report = json.loads(self._run([*plan, "--no-deps", requirement]))
        declared = report["install"][0]["metadata"].get("requires_dist", ())
        needed = [line for line in declared if split(line)[0] != PEER and not is_extra(line)]
        wanted = [*needed, *others]
        if wanted:
            brought = json.loads(self._run([*plan, *wanted]))["install"]
            if any(split(each["metadata"]["name"])[0] == PEER for each in brought):
                raise LeRobotError(
                    f"a dependency of {requirement} needs huggingface/lerobot itself, which pip cannot leave out.",
                    hint="Install uv, which can, and repeat: python -m pip install uv",
                )
            self._run([*self._pip("install"), *wanted])
        self._run([*self._pip("install"), "--no-deps", requirement])

    def reinstall(self, place: Path, *, editable: bool) -> None:
        """Install a package of ours anew, and nothing else."""
        anew = "--reinstall" if self._uv else "--force-reinstall"
        self._run([*self._pip("install"), "--no-deps", anew, *(["-e"] if editable else []), str(place)])

    def uninstall(self, name: str) -> None:
        """Take a distribution out."""
        self._run([*self._pip("uninstall"), *([] if self._uv else ["--yes"]), name])

    def _pip(self, action: str) -> list[str]:
        if self._uv:
            return [self._uv, "pip", action, "--python", sys.executable]
        return [sys.executable, "-m", "pip", action]
