"""What the package costs and changes: nothing, until somebody asks for a name of huggingface/lerobot."""

import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest

import lerobot_compat


def python(code: str) -> str:
    """Run code in a fresh interpreter; gives what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_finder_is_there_when_python_starts_and_comes_last() -> None:
    assert python("import sys; print(sys.meta_path[-1])").strip() == "<class 'lerobot_compat.Finder'>"


def test_starting_python_loads_the_finder_alone() -> None:
    loaded = python("import sys; print(*sorted(name for name in sys.modules if 'lerobot' in name))")
    assert loaded.split() == ["lerobot_compat"]


def test_our_own_modules_are_found_without_it() -> None:
    code = "import sys, lerobot.core.config, lerobot.motors; print('lerobot.compat' in sys.modules)"
    assert python(code).strip() == "False"


@pytest.mark.parametrize("arguments", [["--help"], ["teleoperate", "--robot.type=fake", "--help"]])
def test_commands_load_what_they_load_without_it(arguments: list[str]) -> None:
    """But for the finder, which is one small file."""
    code = f"""
import contextlib, io, sys
from lerobot.core.cli.app import main
with contextlib.redirect_stdout(io.StringIO()):
    main(["lerobot", *{arguments}])
print(*sorted(name for name in sys.modules if "compat" in name and name.startswith("lerobot")))
"""
    assert python(code).split() == ["lerobot_compat"]


def test_a_package_of_the_name_keeps_its_names(tmp_path) -> None:
    """huggingface/lerobot itself, which hides ours, is not mixed with them."""
    (tmp_path / "lerobot").mkdir()
    (tmp_path / "lerobot" / "__init__.py").touch()
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
try:
    import lerobot.robots
except ImportError as error:
    print(error)
"""
    assert python(code).strip() == "No module named 'lerobot.robots'"


def test_the_line_that_installs_it_belongs_to_the_distribution() -> None:
    assert "lerobot_compat_start.pth" in {file.name for file in files("lerobot-compat") or ()}


def test_installing_twice_is_installing_once() -> None:
    before = list(sys.meta_path)
    lerobot_compat.install()
    assert sys.meta_path == before


@pytest.mark.parametrize("asked", ["lerobot", "json", "lerobotics.robots", "other.lerobot.robots"])
def test_other_names_are_none_of_its_business(asked: str) -> None:
    assert lerobot_compat.Finder.find_spec(asked) is None


def test_the_finder_imports_nothing() -> None:
    """Not even `typing`, which would cost forty times what the finder does."""
    source = str(Path(lerobot_compat.__file__).parents[1])
    code = f"import sys; sys.path.append({source!r}); import lerobot_compat; print('typing' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "line",
    [
        "from lerobot.policies.factory import make_policy",
        "from lerobot.policies import PreTrainedConfig",
        "import lerobot.policies.act",
        "from lerobot.configs import FeatureType",
        # Ours looks for torch before it looks for what is missing.
        pytest.param("from lerobot.utils.utils import get_safe_torch_device", marks=pytest.mark.slow),
    ],
)
def test_who_lacks_a_package_of_ours_is_told_which(line: str) -> None:
    """In an environment without `lerobot-policies`; what needs it not works there."""
    code = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "lerobot.policies" else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
from lerobot.robots import Robot
try:
    {line}
except ImportError as error:
    print(error)
"""
    said = python(code)
    assert said.count("\n") == 1
    assert "lerobot.policies is in lerobot-policies, which is not installed. Install it" in said
