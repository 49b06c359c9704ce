"""Every plugin template: baked, looked at, installed into an environment of its own, listed, run and tested there.

The environment sees the packages of the one that runs the tests, so nothing is downloaded; what is installed there
stays there.
"""

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.core.commands.new import NewConfig
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.new_plugin import new_plugin, usable_name
from lerobot.core.testing import ScriptedPrompter

KINDS = ("robot", "teleoperator", "camera", "policy", "env", "processor")
COMMON = {
    ".github/workflows/test.yml",
    ".gitignore",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "src/{package}/__init__.py",
    "src/{package}/config.py",
    "src/{package}/py.typed",
    "src/{package}/{kind}.py",
    "tests/test_package.py",
    "tests/test_{kind}.py",
}
WITH_BUS = {"robot", "teleoperator"}


def bake(folder: Path, kind: str, name: str, **fields: str) -> Path:
    new_plugin(NewConfig(plugin=kind, name=name, output_dir=folder, **fields), ScriptedPrompter())
    return folder / f"lerobot-{name}"


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One package of each kind, as `lerobot new KIND my-KIND` writes it; the robot is `my-arm`."""
    folder = tmp_path_factory.mktemp("baked")
    names = {kind: "my-arm" if kind == "robot" else f"my-{kind}" for kind in KINDS}
    return {kind: bake(folder, kind, name) for kind, name in names.items()}


@pytest.fixture(scope="module")
def python(baked: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment in which all of them are installed editable."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run("uv", "venv", "-q", "--python", sys.executable, folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    editable = [option for path in baked.values() for option in ("-e", str(path))]
    run("uv", "pip", "install", "-q", "--no-deps", "--offline", *editable, VIRTUAL_ENV=str(folder))
    return folder / "bin" / "python"


def lerobot(python: Path, *arguments: str, home: Path) -> str:
    program = "from lerobot_cli import main; main()"
    return run(python, "-c", program, *arguments, cwd=home, HF_LEROBOT_HOME=str(home)).stdout


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_holds_exactly_these_files(baked: dict[str, Path], kind: str) -> None:
    folder = baked[kind]
    package = f"lerobot_{kind}_{folder.name.removeprefix('lerobot-').replace('-', '_')}"
    bus = {"src/{package}/bus.py"} if kind in WITH_BUS else set()
    wanted = {path.format(package=package, kind=kind) for path in COMMON | bus}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {path for path in files if "__pycache__" not in path and ".egg-info" not in path} == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in(baked: dict[str, Path], kind: str) -> None:
    for path in baked[kind].rglob("*"):
        assert "cookiecutter" not in path.name
        if path.suffix in {".py", ".toml", ".md", ".yml"}:
            text = path.read_text(encoding="utf-8")
            assert "{{" not in text
            assert "{%" not in text


@pytest.mark.parametrize(
    ("license_name", "first_line"),
    [("MIT", "MIT License"), ("BSD-3-Clause", "BSD 3-Clause License"), ("Apache-2.0", "Apache License")],
)
def test_the_licence_is_the_chosen_one(tmp_path: Path, license_name: str, first_line: str) -> None:
    folder = bake(tmp_path, "processor", "my-step", license=license_name, author="Ada Lovelace")
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert text.strip().splitlines()[0].strip() == first_line
    assert ("Ada Lovelace" in text) == (license_name != "Apache-2.0")
    assert f'license = "{license_name}"' in (folder / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["x", "my-thing", "my-very-long-named-new-thing"])
def test_baked_code_is_clean(tmp_path: Path, name: str) -> None:
    """Whatever the length of the name, lines break as the formatter wants them."""
    ruff = Path(sys.executable).with_name("ruff")
    for kind in KINDS:
        folder = bake(tmp_path / kind, kind, name)
        run(ruff, "check", "--no-cache", ".", cwd=folder)
        run(ruff, "format", "--no-cache", "--check", ".", cwd=folder)


@pytest.mark.slow
def test_baked_code_passes_the_type_checker(baked: dict[str, Path], python: Path) -> None:
    for folder in baked.values():
        mypy = Path(sys.executable).with_name("mypy")
        run(mypy, "--python-executable", python, "--cache-dir", baked["robot"].parent / "cache", "src", cwd=folder)


# --- what it does ----------------------------------------------------------------------------------------------------


def test_every_plugin_is_listed_with_its_distribution(python: Path, tmp_path: Path) -> None:
    listed = json.loads(lerobot(python, "plugins", "list", "--format=json", home=tmp_path))
    found = {(plugin["kind"], plugin["name"]): plugin["distribution"] for plugin in listed}
    assert found["robot", "my_arm"] == "lerobot-robot-my-arm"
    for kind in KINDS[1:]:
        assert found[kind, f"my_{kind}"] == f"lerobot-{kind}-my-{kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(baked: dict[str, Path], python: Path, kind: str) -> None:
    result = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=baked[kind])
    assert " passed" in result.stdout
    assert "failed" not in result.stdout


def test_the_robot_is_driven_by_the_fake_teleoperator(python: Path, tmp_path: Path) -> None:
    arguments = ("--robot.type=my_arm", "--teleop.type=fake", "--teleop_time_s=1")
    assert "ticks at" in lerobot(python, "teleoperate", *arguments, home=tmp_path)


def test_the_teleoperator_drives_the_fake_robot(python: Path, tmp_path: Path) -> None:
    arguments = ("--robot.type=fake", "--teleop.type=my_teleoperator", "--teleop_time_s=1")
    assert "ticks at" in lerobot(python, "teleoperate", *arguments, home=tmp_path)


def test_the_camera_is_found_and_its_picture_saved(python: Path, tmp_path: Path) -> None:
    text = lerobot(python, "find-cameras", "my_camera", "--record_time_s=0.1", "--warmup_s=0", home=tmp_path)
    assert "Name: My camera @ virtual" in text
    assert (tmp_path / "outputs/captured_images/mycamera_virtual.png").read_bytes().startswith(b"\x89PNG")


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ("My Arm", "my-arm"),
        ("my--arm", "my-arm"),
        ("7bot", "bot"),
        ("class", "my-class"),
        ("ärm", "rm"),
        ("!", "my-robot"),
        ("fake", "my-fake"),
        ("so101_follower", "my-so101-follower"),
    ],
)
def test_a_name_that_cannot_be_used_gets_a_suggestion_that_can(given: str, suggestion: str) -> None:
    with pytest.raises(ConfigError) as caught:
        usable_name("robot", given)
    assert f"'{suggestion}'" in caught.value.problems[0].hint
    assert usable_name("robot", suggestion) == suggestion.replace("-", "_")


def test_hyphens_and_underscores_are_the_same() -> None:
    assert usable_name("robot", "my-arm") == usable_name("robot", "my_arm") == "my_arm"


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    folder = bake(tmp_path, "robot", "my-arm")
    (folder / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(LeRobotError, match="exists already"):
        bake(tmp_path, "robot", "my-arm")
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_without_cookiecutter_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "cookiecutter", None)
    monkeypatch.setitem(sys.modules, "cookiecutter.generate", None)
    with pytest.raises(LeRobotError, match="cookiecutter") as caught:
        bake(tmp_path, "robot", "my-arm")
    assert "uv pip install 'lerobot-core[new]'" in caught.value.hint
