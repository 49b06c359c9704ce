"""What is imported for a word on the command line: sets of modules, pinned instead of seconds."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "accelerate", "av", "cv2", "datasets", "gymnasium", "huggingface_hub", "mujoco", "numpy", "pandas", "pyarrow",
    "safetensors", "serial", "torch", "torchvision", "transformers",
}  # fmt: skip
CODE = """
import sys, json, io, contextlib
from lerobot.core.cli.app import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(["lerobot", *json.loads(sys.argv[1])])
print(json.dumps([code, sorted(sys.modules)]))
"""


def modules(*arguments: str, **environ: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LEROBOT_PLUGINS": "lerobot-core", **environ},
        timeout=60,
    )
    code, names = json.loads(done.stdout)
    assert code == 0, done.stderr
    return set(names)


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("lerobot.")}


COMPLETION = {"_LEROBOT_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "lerobot teleoperate --robot.type=fa"}


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["plugins", "list"], {}),
        (["teleoperate", "--robot.type=fake", "--teleop.type=fake", "--help"], {}),
        (["teleoperate", "--robot.type=fake", "--teleop.type=fake", "--print_config"], {}),
        (["info"], {}),
        ([], COMPLETION),
    ],
    ids=["help", "version", "plugins", "teleoperate-help", "print-config", "info", "completion"],
)
def test_no_heavy_library_is_imported(arguments: list[str], environ: dict[str, str]) -> None:
    names = modules(*arguments, **environ)
    assert not {name.partition(".")[0] for name in names} & HEAVY


def test_help_of_the_group_imports_no_command_and_no_pydantic() -> None:
    names = modules("--help")
    assert not {"pydantic", "rich", "yaml"} & names
    assert ours(names) == {
        "lerobot.core",
        "lerobot.core.cli",
        "lerobot.core.cli.app",
        "lerobot.core.cli.group",
        "lerobot.core.cli.names",
        "lerobot.core.errors",
        "lerobot.core.registry",
        "lerobot.core.registry.api",
        "lerobot.core.registry.catalog",
        "lerobot.core.registry.discovery",
        "lerobot.core.registry.kinds",
        "lerobot.core.registry.resolve",
        "lerobot.core.signals",
    }


def test_help_of_a_command_imports_its_configuration_and_no_implementation() -> None:
    names = ours(modules("teleoperate", "--robot.type=fake", "--help"))
    assert "lerobot.core.commands.teleoperate" in names
    assert {name for name in names if name.startswith("lerobot.core.fake")} == {
        "lerobot.core.fake",
        "lerobot.core.fake.config",
    }
    assert not {name for name in names if name.startswith(("lerobot.core.control", "lerobot.core.processors"))}


def test_completion_imports_no_implementation() -> None:
    names = modules(**COMPLETION)
    assert "rich" not in names
    assert "lerobot.core.fake.robot" not in ours(names)
