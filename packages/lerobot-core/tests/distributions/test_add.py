"""`lerobot plugins add`: what a name stands for, what is refused and why, and what the installer is told."""

import importlib.metadata
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lerobot.core.cli.app import main
from lerobot.core.distributions import add as adding
from lerobot.core.distributions import undeclared
from lerobot.core.distributions.add import add, wanted
from lerobot.core.distributions.installer import OVERRIDES, Installer
from lerobot.core.distributions.ownership import SOURCE
from lerobot.core.distributions.source import Source
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.registry.catalog import packages_here


@pytest.mark.parametrize("name", ["so101_follower", "lerobot-so100", "lerobot_so100", "LeRobot.SO100"])
def test_a_registered_name_and_every_spelling_of_a_package_lead_to_it(name: str) -> None:
    what = wanted(name)
    assert (what.distribution, what.ours) == ("lerobot-so100", True)


@pytest.mark.parametrize("name", ["ugo_nova", "lerobot_robot_ugo_nova", "lerobot-robot-ugo-nova"])
def test_a_plugin_of_others_is_known_by_its_type_and_by_its_package(name: str) -> None:
    what = wanted(name)
    assert (what.distribution, what.place) == ("lerobot-robot-ugo-nova", "lerobot-robot-ugo-nova")
    assert "ugo-plus" in what.about


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("so101_folower", "neither in this project nor a known plugin of others; did you mean 'so101_follower'?"),
        ("wall_x", "it is known to huggingface/lerobot, not here yet"),
        ("lerobot-libero-x", "neither in this project nor a known plugin of others"),
        ("lerobot_robot_ugo_novas", "nobody here knows who owns that name"),
        ("lerobot-robot-trossen", "TrossenRobotics keeps it at https://github.com/TrossenRobotics/lerobot_trossen"),
        ("lerobot", "neither in this project"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        wanted(name)
    assert told in str(caught.value)


def test_a_name_of_several_kinds_in_one_package_is_no_question() -> None:
    assert wanted("sim").distribution == "lerobot-sim"


def test_a_wheel_under_one_of_our_names_is_refused(make_wheel: Callable[..., Path]) -> None:
    file = make_wheel("lerobot-vqbet", "9.9", {})
    with pytest.raises(ConfigError, match="it is ours"):
        wanted(str(file))


@pytest.fixture
def wheels(make_wheel: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder of wheels of ours, as a release has it."""
    make_wheel("lerobot-core", "0.1.0", {}, source=SOURCE)
    make_wheel("lerobot-motors", "0.1.0", {}, source=SOURCE, requires=["lerobot-core>=0.1,<1"])
    make_wheel("lerobot-feetech", "0.1.0", {}, source=SOURCE, requires=["lerobot-motors[x]>=0.1", "pyserial"])
    needs = ["lerobot-feetech>=0.1", "numpy", 'lerobot-opencv; extra == "cameras"']
    make_wheel("lerobot-so100", "0.1.0", {}, source=SOURCE, requires=needs)
    return tmp_path


def test_every_package_of_ours_that_is_needed_is_given_by_its_place(wheels: Path) -> None:
    found = Source.at(wheels).closure("lerobot-so100", {"lerobot-core", "lerobot-so100"})
    assert set(found) == {"lerobot-so100", "lerobot-feetech", "lerobot-motors"}
    assert found["lerobot-motors"].startswith("lerobot-motors[x] @ file://")
    assert all(line.endswith("-py3-none-any.whl") for line in found.values())


def test_a_checkout_is_a_place_too() -> None:
    root = Path(__file__).parents[4]
    found = Source.at(root).closure("lerobot-so100", {"lerobot-core"})
    assert found["lerobot-so100"] == f"lerobot-so100 @ {(root / 'packages/lerobot-so100').as_uri()}"
    assert "lerobot-feetech" in found
    assert set(found) <= packages_here()


def test_a_folder_of_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a checkout of this project, or a folder of its wheels"):
        Source.at(tmp_path)


def test_a_package_that_is_missing_in_the_place_is_named(wheels: Path) -> None:
    next(wheels.glob("lerobot_motors-*")).unlink()
    with pytest.raises(ConfigError, match="a folder that holds lerobot-motors"):
        Source.at(wheels).closure("lerobot-so100", set())


class Recorder:
    """Stands for the installer: notes commands, and answers pip's plans."""

    def __init__(self, answers: Sequence[object] = ()) -> None:
        self.commands: list[list[str]] = []
        self.overrides = ""
        self._answers = [json.dumps(answer) for answer in answers]

    def __call__(self, command: Sequence[str]) -> str:
        self.commands.append(list(command))
        if "--overrides" in command:
            self.overrides = Path(command[list(command).index("--overrides") + 1]).read_text()
        return self._answers.pop(0) if "--report" in command else ""


def test_uv_is_told_to_leave_the_peer_out_at_any_depth() -> None:
    told = Recorder()
    Installer("uv", told).install_without_peer("lerobot-robot-ugo-nova", "lerobot-compat @ file:///x")
    assert told.overrides == OVERRIDES == "lerobot ; sys_platform == 'never'\n"
    assert told.commands[0][-2:] == ["lerobot-robot-ugo-nova", "lerobot-compat @ file:///x"]


def test_pip_installs_the_dependencies_without_the_peer_and_the_plugin_without_dependencies() -> None:
    declared = ["lerobot[feetech]>=0.4", "numpy>=1", 'pytest; extra == "dev"']
    plan = {"install": [{"metadata": {"name": "p", "requires_dist": declared}}]}
    told = Recorder([plan, {"install": [{"metadata": {"name": "numpy"}}]}])
    Installer(None, told).install_without_peer("lerobot-robot-p")
    assert told.commands[-2][-1] == "numpy>=1"
    assert told.commands[-1][-2:] == ["--no-deps", "lerobot-robot-p"]
    assert not any("lerobot[feetech]>=0.4" in command for command in told.commands)


def test_pip_refuses_where_a_dependency_brings_the_peer() -> None:
    plan = {"install": [{"metadata": {"name": "p", "requires_dist": ["sdk"]}}]}
    told = Recorder([plan, {"install": [{"metadata": {"name": "sdk"}}, {"metadata": {"name": "LeRobot"}}]}])
    with pytest.raises(LeRobotError, match="which pip cannot leave out"):
        Installer(None, told).install_without_peer("lerobot-robot-p")
    assert all("--dry-run" in command for command in told.commands), "nothing was installed"


def test_nothing_is_installed_on_a_dry_run(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "installed", dict)
    told, said = Recorder(), []
    add(wanted("so101_follower"), Source.at(wheels), Installer("uv", told), said.append, dry_run=True)
    assert not told.commands
    assert len(said) == 4
    assert said[0].startswith("lerobot-so100 @ file://")


def test_where_our_packages_are_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "installed", dict)
    with pytest.raises(LeRobotError, match="--source=DIR"):
        add(wanted("so101_follower"), None, Installer("uv", Recorder()), lambda _: None)


SOURCE_OF_A_PLUGIN = """
import json, nobody_has_this.part
from nobody_has_that import thing
from .part import other
try:
    import optional_one
except ImportError:
    optional_one = None
if False:
    import optional_two
def later():
    import optional_three
"""
BRINGS = {
    "json": "json",
    "nobody_has_this": "dist-of-this",
    "nobody_has_that": "dist-of-that",
    "optional_one": "o1",
    "optional_two": "o2",
    "optional_three": "o3",
}


def test_what_huggingface_would_have_brought_is_read_out_of_the_plugins_source(
    make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undeclared, "BROUGHT", BRINGS)
    files = {"lerobot_robot_x/__init__.py": SOURCE_OF_A_PLUGIN, "lerobot_robot_x/broken.py": "import nobody_has_this("}
    zipfile.ZipFile(make_wheel("lerobot-robot-x", "1.0", files)).extractall(tmp_path / "site")
    (distribution,) = importlib.metadata.distributions(path=[str(tmp_path / "site")])
    assert undeclared.undeclared(distribution) == ["dist-of-that", "dist-of-this"]


def test_it_is_installed_after_the_plugin_and_said(
    make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel("lerobot-robot-x", "1.0", {"lerobot_robot_x/__init__.py": "import nobody_has_this"})
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (distribution,) = importlib.metadata.distributions(path=[str(tmp_path / "site")])
    before = {"lerobot-compat": distribution}
    monkeypatch.setattr(undeclared, "BROUGHT", BRINGS)
    monkeypatch.setattr(adding, "remember", lambda *_: None)
    there = iter([before])
    monkeypatch.setattr(adding, "installed", lambda: next(there, before | {"lerobot-robot-x": distribution}))
    told, said = Recorder(), []
    add(wanted(str(wheel)), None, Installer("uv", told), said.append)
    assert [command[-1] for command in told.commands] == [str(wheel), "dist-of-this"]
    assert "it imports what huggingface/lerobot brings along: dist-of-this" in said


@pytest.fixture
def plugins(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["lerobot", "plugins", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_command_says_what_it_is_told(plugins: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = plugins("add")
    assert code == 2
    assert "NAME after add" in err
    code, _, err = plugins("add", "policy", "wall_x")
    assert code == 2
    assert "known to huggingface/lerobot, not here yet" in err
    code, out, _ = plugins("add", "lerobot-robot-dummy", "--dry_run")
    assert code == 0
    assert "made by KillingJacky, from the package index" in out
