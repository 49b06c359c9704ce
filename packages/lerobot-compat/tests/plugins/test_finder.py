"""What third-party plugins register is read out of their source, and nothing of theirs is imported."""

import ast
import sys
from pathlib import Path

import pytest

from lerobot.compat.plugins.finder import find, registrations
from lerobot.core.registry import registry
from lerobot.core.registry.discovery import ThirdParty


def test_they_are_listed_with_whom_they_come_through_and_not_imported(third_party: Path) -> None:
    found = {(each.kind, each.name): each for each in registry.plugins() if each.through}
    assert set(found) >= {("robot", "toaster"), ("teleoperator", "dial"), ("camera", "slot")}
    toaster = found["robot", "toaster"]
    assert toaster.value == "lerobot_robot_toaster.config_toaster:ToasterConfig"
    assert (toaster.distribution, toaster.version, toaster.through) == (
        "lerobot-robot-toaster",
        "1.2.0",
        "lerobot-compat",
    )
    assert not [name for name in sys.modules if name.startswith("lerobot_robot_toaster")]
    assert not registry.unreached()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('@RobotConfig.register_subclass("a")\n@dataclass\nclass A(RobotConfig): ...', [("robot", "a", "A")]),
        ('from x import RobotConfig as R\n@R.register_subclass("a")\nclass A(R): ...', [("robot", "a", "A")]),
        ('import x\n@x.CameraConfig.register_subclass(name="a")\nclass A: ...', [("camera", "a", "A")]),
        ('N = "a"\n@PreTrainedConfig.register_subclass(N)\nclass A: ...', [("policy", "a", "A")]),
        ('@EnvConfig.register_subclass("b")\nclass B: ...\n@other\nclass C: ...', [("env", "b", "B")]),
        ("@RobotConfig.register_subclass(computed())\nclass A: ...", []),
        ('@RewardModelConfig.register_subclass("a")\nclass A: ...', []),
        ('"""@RobotConfig.register_subclass("a")"""', []),
    ],
)
def test_registrations_are_read_however_they_are_written(source: str, found: list[tuple[str, str, str]]) -> None:
    assert list(registrations(ast.parse(source))) == found


@pytest.mark.parametrize(
    ("module", "cause"),
    [
        ("x = 1\n", "no module of 'lerobot_robot_odd' registers a plugin by itself"),
        ("@RobotConfig.register_subclass(\nclass", "SyntaxError"),
        (None, "there is no import package 'lerobot_robot_odd'"),
    ],
)
def test_what_registers_nothing_is_reported_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str | None, cause: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    if module is not None:
        (tmp_path / "lerobot_robot_odd.py").write_text(module)
    plugins, damaged = find([ThirdParty("robot", "lerobot-robot-odd", "1")])
    assert not plugins
    assert damaged[0].distribution == "lerobot-robot-odd"
    assert cause in damaged[0].cause
