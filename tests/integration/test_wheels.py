"""The built wheels in a clean environment: what core and one plugin really give a user.

`nox -s wheels` builds the wheels and names their folder in LEROBOT_WHEELS.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from clean_environment import done, install, run

pytestmark = pytest.mark.wheels

LIMIT_MB = 60
HEAVY = ["torch", "pyarrow", "cv2", "numpy", "av", "datasets", "huggingface_hub", "gymnasium"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheels of `lerobot-core` and of a plugin baked from the robot template."""
    folder = tmp_path_factory.mktemp("clean")
    done(Path(sys.executable).parent / "lerobot", "new", "robot", "my-arm", cwd=folder)
    baked = next(path for path in folder.iterdir() if (path / "pyproject.toml").exists())
    done("uv", "build", "-q", "--wheel", "--out-dir", folder / "plugin", baked)
    return install(folder / "venv", "lerobot-core", next((folder / "plugin").glob("*.whl")))


@pytest.fixture(scope="module")
def site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


@pytest.fixture(scope="module")
def lerobot(environment: Path) -> Path:
    return environment / "bin" / "lerobot"


def test_it_is_small(site_packages: Path) -> None:
    size = sum(file.stat().st_size for file in site_packages.rglob("*") if file.is_file() and not file.is_symlink())
    sys.stdout.write(f"installed: {size / 1e6:.1f} MB\n")
    assert size / 1e6 < LIMIT_MB


def test_nothing_heavy_comes_along(site_packages: Path) -> None:
    assert not [name for name in HEAVY if (site_packages / name).exists()]


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("lerobot-koch", "scservo_sdk"),
        ("lerobot-omx", "scservo_sdk"),
        ("lerobot-aloha-robot", "scservo_sdk"),
        ("lerobot-hope-jr", "dynamixel_sdk"),
    ],
)
def test_an_arm_brings_the_sdk_of_its_own_servos_only(package: str, foreign: str, tmp_path: Path) -> None:
    environment = install(tmp_path / "venv", "lerobot-core", package, compiled=False)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    sdks = {name for name in ("scservo_sdk", "dynamixel_sdk") if (site_packages / name).is_dir()}
    assert sdks == {"scservo_sdk", "dynamixel_sdk"} - {foreign}
    assert not [name for name in HEAVY if (site_packages / name).exists()]


def test_the_namespace_stays_open(site_packages: Path) -> None:
    assert (site_packages / "lerobot" / "core").is_dir()
    assert not (site_packages / "lerobot" / "__init__.py").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["info"],
        ["doctor"],
        ["plugins", "list"],
        ["plugins", "info", "robot", "my_arm"],
        ["teleoperate", "--help"],
        ["teleoperate", "--robot.type=fake", "--teleop.type=fake", "--teleop_time_s=0.5"],
        ["teleoperate", "--robot.type=my_arm", "--teleop.type=fake", "--teleop_time_s=0.5"],
        ["calibrate", "--robot.type=fake", "--robot.id=one"],
        ["find-cameras"],
        ["find-joint-limits", "--help"],
        ["setup-motors", "--help"],
    ],
    ids=" ".join,
)
def test_the_commands_work_there(lerobot: Path, arguments: list[str], tmp_path: Path) -> None:
    output = done(lerobot, *arguments, cwd=tmp_path, env={"HF_LEROBOT_HOME": str(tmp_path)})
    assert output.strip()


def test_the_plugin_is_listed_with_its_distribution(lerobot: Path) -> None:
    plugins = json.loads(done(lerobot, "plugins", "list", "robot", "--format=json"))
    assert {"fake", "my_arm"} <= {plugin["name"] for plugin in plugins}


def test_a_command_that_needs_an_extra_says_which(lerobot: Path, tmp_path: Path) -> None:
    result = run(lerobot, "new", "robot", "other-arm", cwd=tmp_path)
    assert result.returncode == 1
    assert "lerobot-core[new]" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_script_alias_is_the_same_command(environment: Path) -> None:
    alias = done(environment / "bin" / "lerobot-teleoperate", "--robot.type=fake", "--help")
    assert "--robot.id" in alias


def test_a_regular_package_of_the_same_name_is_explained(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "lerobot").mkdir()
    (tmp_path / "lerobot" / "__init__.py").write_text("", encoding="utf-8")
    result = run(environment / "bin" / "lerobot", "--help", env={"PYTHONPATH": str(tmp_path)})
    assert result.returncode == 2
    assert str(tmp_path) in result.stderr
    assert "Traceback" not in result.stderr


def test_the_line_of_the_installation_page_installs_an_arm(tmp_path: Path) -> None:
    """pip alone, as the page says it, and no index is asked for a package of ours."""
    page = Path(__file__).resolve().parents[2] / "docs" / "installation.md"
    lines = re.findall(r"^pip install (dist/\S+so100\}\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 1
    (tmp_path / "dist").symlink_to(Path(os.environ["LEROBOT_WHEELS"]).resolve())
    done(sys.executable, "-m", "venv", tmp_path / "venv")
    done("bash", "-c", f"venv/bin/pip install --quiet {lines[0]}", cwd=tmp_path)
    named = done(tmp_path / "venv" / "bin" / "lerobot", "plugins", "list", "robot", cwd=tmp_path)
    assert "so101_follower" in named
