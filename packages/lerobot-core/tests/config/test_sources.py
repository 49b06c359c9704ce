"""Defaults, file, environment, section files and flags: who wins, and that every value knows where it came from."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lerobot.core.config import CommandConfig, load, render
from lerobot.core.registry import registry

YAML = """\
robot:
  type: arm
  port: /dev/ttyACM0
  cameras:
    top: {type: cam, index_or_path: 0, width: 640, height: 480, fps: 30}
dataset:
  repo_id: 007
fps: 30
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> str:
        Path(name).write_text(text, encoding="utf-8")
        return name

    return write


def test_a_name_alone_chooses_the_type(
    resolve: Callable[..., Any], problems: Callable[..., list[str]], file: Callable[[str, str], str]
) -> None:
    whole = resolve("--robot.type=rover", "--robot.address=there").config
    assert resolve("--robot=rover", "--robot.address=there").config == whole
    assert resolve("--robot.address=there", "--robot", "rover").config == whole
    assert resolve("--config_path", file("run.yaml", "robot: rover"), "--robot.address=there").config == whole
    assert resolve("--robot", file("rover.yaml", "{type: rover, address: there}")).config == whole
    assert problems("--robot=rovr") == ["--robot: got 'rovr', expected one of arm, fake, rover (Did you mean 'rover'?)"]


def test_the_same_configuration_from_yaml_json_and_toml(
    resolve: Callable[..., Any], file: Callable[[str, str], str]
) -> None:
    data = yaml.safe_load(YAML)
    data["dataset"]["repo_id"] = "007"
    toml = """\
fps = 30
[robot]
type = "arm"
port = "/dev/ttyACM0"
[robot.cameras.top]
type = "cam"
index_or_path = 0
width = 640
height = 480
fps = 30
[dataset]
repo_id = "007"
"""
    texts = {"a.yaml": YAML, "b.json": json.dumps(data, indent="\t"), "c.toml": toml}
    configs = [resolve("--robot.id=null", "--config_path", file(name, text)).config for name, text in texts.items()]
    assert configs[0] == configs[1] == configs[2]
    assert configs[0].dataset.repo_id == "007"
    assert configs[0].robot.cameras["top"].index_or_path == 0


def test_file_then_environment_then_section_file_then_flags(
    resolve: Callable[..., Any], file: Callable[[str, str], str]
) -> None:
    config_path = file("run.yaml", "robot: {type: arm, port: file, id: file}\nfps: 1\nsteps: 1\ntask: file\n")
    section = file("robot.toml", 'port = "section"\nuse_degrees = true\n')
    environ = {
        "LEROBOT_FPS": "2",
        "LEROBOT_STEPS": "2",
        "LEROBOT_ROBOT__PORT": "variable",
        "LEROBOT_ROBOT__ID": "variable",
    }
    loaded = resolve("--steps=3", "--robot", section, f"--config_path={config_path}", environ=environ)
    config = loaded.config
    assert (config.task, config.fps, config.steps) == ("file", 2.0, 3)
    assert (config.robot.port, config.robot.id, config.robot.use_degrees) == ("section", "variable", True)
    assert loaded.sources[("task",)] == "run.yaml:4"
    assert loaded.sources[("fps",)] == "LEROBOT_FPS"
    assert loaded.sources[("steps",)] == "--steps"
    assert loaded.sources[("robot", "port")] == "robot.toml:1"
    assert ("lr",) not in loaded.sources


def test_variables_of_other_commands_and_reserved_ones_are_left_alone(resolve: Callable[..., Any]) -> None:
    environ = {"LEROBOT_HOME": "x", "LEROBOT_PLUGINS": "a", "LEROBOT_NOT_OURS": "1", "LEROBOT_FPS__X": "1", "FPS": "9"}
    assert resolve(environ=environ).config.fps == 60


def test_yaml_anchors_and_merge_keys_work(resolve: Callable[..., Any], file: Callable[[str, str], str]) -> None:
    text = """\
robot:
  type: arm
  port: p
  cameras:
    a: &camera {type: cam, index_or_path: 0, width: 640, height: 480, fps: 30}
    b: {<<: *camera, index_or_path: 1}
"""
    cameras = resolve("--robot.id=x", "--config_path", file("run.yaml", text)).config.robot.cameras
    assert (cameras["a"].index_or_path, cameras["b"].index_or_path, cameras["b"].fps) == (0, 1, 30)


def test_a_mapping_given_as_a_whole_replaces_the_one_in_the_file(
    resolve: Callable[..., Any], file: Callable[[str, str], str]
) -> None:
    path = file("run.yaml", YAML)
    assert resolve("--robot.cameras={}", f"--config_path={path}").config.robot.cameras == {}
    assert resolve("--robot.cameras.top.fps=15", f"--config_path={path}").config.robot.cameras["top"].fps == 15


def test_a_changed_type_reports_what_the_new_one_does_not_have(
    problems: Callable[..., list[str]], file: Callable[[str, str], str]
) -> None:
    lines = problems("--robot.type=rover", "--config_path", file("run.yaml", YAML))
    assert lines == [
        "run.yaml:3 robot.port: got '/dev/ttyACM0', expected a known key "
        "(not a field of robot 'rover', chosen by --robot.type)",
        "run.yaml:4 robot.cameras: got '{top: {type: cam, index_or_path: 0, width: 640, height: 4...', "
        "expected a known key (not a field of robot 'rover', chosen by --robot.type)",
    ]


def test_what_is_printed_is_read_back(resolve: Callable[..., Any], file: Callable[[str, str], str]) -> None:
    loaded = resolve(
        "--robot.type=arm",
        "--robot.port=001",
        "--robot.cameras={a b: {type: cam, index_or_path: /dev/video0, width: 1, height: 1, fps: 1e1, serial: 'no'}}",
        "--task=pick: the # cube\nnow",
        "--lr=1e-07",
        "--dataset.repo_id=null",
        "--dataset.tags=[a, '1', null]",
        "--dataset.encoder.extra_options={a: '1', b: 1, c: {}, d: [1e-3]}",
        "--robot.max_relative_target={j: 1}",
    )
    text = render(loaded)
    again = load(type(loaded.config), ["--config_path", file("printed.yaml", text)])
    assert again.config == loaded.config


def test_every_printed_value_names_its_source(resolve: Callable[..., Any], file: Callable[[str, str], str]) -> None:
    loaded = resolve("--fps=15", "--config_path", file("run.yaml", YAML), environ={"LEROBOT_STEPS": "9"})
    lines = {line.split(":")[0].strip(): line.rpartition("# ")[2] for line in render(loaded).splitlines()}
    assert lines["fps"] == "--fps"
    assert lines["steps"] == "LEROBOT_STEPS"
    assert lines["repo_id"] == "run.yaml:7"
    assert lines["rotation"] == lines["lr"] == "default"


@pytest.fixture
def saved_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The loader a policy package would bring."""
    (tmp_path / "saved_policies.py").write_text(
        """
import json, pathlib
from lerobot.core.errors import CheckpointError

def read(path, given):
    folder = pathlib.Path(path)
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint at '{path}'", hint="See the folders in outputs/train.")
    return json.loads((folder / "config.json").read_text()) | {"revision": given.get("revision", "main")}
"""
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"type": "tiny_act", "chunk_size": 20, "kernel": [5, 5]}))
    yield folder
    sys.modules.pop("saved_policies", None)


def test_a_path_fills_a_section_that_flags_override(resolve: Callable[..., Any], saved_policies: Path) -> None:
    loaded = resolve(f"--policy.path={saved_policies}", "--policy.kernel=[7]", "--policy.revision=abc")
    policy = loaded.config.policy
    assert (policy.type, policy.chunk_size, policy.kernel, policy.revision) == ("tiny_act", 20, [7], "abc")
    assert loaded.sources[("policy", "chunk_size")] == "--policy.path"


def test_a_path_and_a_type_are_one_problem(problems: Callable[..., list[str]], saved_policies: Path) -> None:
    lines = problems("--policy.path=x", "--policy.type=tiny_act")
    assert lines == [
        "--policy.path: got 'x', expected either a path or a type of policy "
        "(--policy.type names a type as well; a saved folder knows its own)"
    ]


def test_a_path_without_a_checkpoint_is_explained(problems: Callable[..., list[str]], saved_policies: Path) -> None:
    assert problems("--policy.path=nowhere") == [
        "--policy.path: got 'nowhere', expected a saved policy "
        "(there is no checkpoint at 'nowhere'. See the folders in outputs/train.)"
    ]


def test_a_package_named_on_the_line_brings_its_plugins(
    resolve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_devices"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "gripper.py").write_text(
        "from typing import ClassVar\n"
        "from lerobot.core.config import RobotConfig\n"
        "class GripperConfig(RobotConfig):\n"
        "    target: ClassVar[str] = 'my_devices.driver:Gripper'\n"
        "    type: str = 'my_gripper'\n"
        "    force: float = 1.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    flags = ("--robot.discover_packages_path=my_devices", "--robot.type=my_gripper", "--robot.force=2")
    assert resolve(*flags).config.robot.force == 2.0
    assert "my_gripper" in registry.names("robot")
    assert "my_devices.driver" not in sys.modules
    for name in ("my_devices", "my_devices.gripper"):
        sys.modules.pop(name)


def test_a_missing_package_is_one_problem(problems: Callable[..., list[str]]) -> None:
    lines = problems("--robot.discover_packages_path=nope_pkg", "--robot.type=arm", "--robot.port=p")
    assert lines == [
        "--robot.discover_packages_path: got 'nope_pkg', expected a package that can be imported "
        "(ModuleNotFoundError: No module named 'nope_pkg')"
    ]


def test_the_library_does_not_read_the_process_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(CommandConfig):
        """Plain."""

        fps: int = 1

    monkeypatch.setattr(sys, "argv", ["x", "--fps=2"])
    monkeypatch.setenv("LEROBOT_FPS", "3")
    assert load(Plain).config.fps == 1


def test_json_escapes_are_read_as_json_reads_them(resolve: Callable[..., Any], file: Callable[[str, str], str]) -> None:
    task = 'pick \U0001f9ca up / now\n\t\u00e9 \\u0041 "quoted"'
    path = file("run.json", json.dumps({"task": task}))
    assert resolve(f"--config_path={path}").config.task == task
