"""Command lines of huggingface/lerobot's documentation, read from its fact sheet, resolve here without being run."""

import json
import re
import shlex
from pathlib import Path

import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry
from lerobot.core.registry.catalog import install_hint, known_plugins

COMMANDS = "teleoperate|calibrate|setup-motors|find-port|find-cameras|find-joint-limits|info"
SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)
BARE = [
    "lerobot-find-port",
    "lerobot-find-cameras",
    "lerobot-find-cameras opencv # or realsense for Intel Realsense cameras",
    "lerobot-info",
]
"""Lines of the sheet's section 7 that are no cases of the file, as the peer parses them without a configuration."""


def cases() -> list[str]:
    sheet = SHARED / "spec/hardware/cli_cases.jsonl" if SHARED else None
    if sheet is None or not sheet.exists():
        return BARE
    lines = [json.loads(line)["cmd"] for line in sheet.read_text(encoding="utf-8").splitlines()]
    return [*BARE, *(line for line in lines if re.match(rf"lerobot-({COMMANDS})\b", line))]


def words(line: str) -> list[str]:
    """Split as a shell does, after what the documentation writes for the reader and not for the shell."""
    text = re.sub(r"\\? +#.*$", "", line, flags=re.MULTILINE)  # comments, also those after a continuation
    text = text.replace("\\\n", " ")
    return shlex.split(re.sub(r"<(\w+)>", r"\1", text))


def test_the_sheet_is_there() -> None:
    if SHARED is None:
        pytest.skip("../shared, with the fact sheet of the peer's command lines, is absent")
    assert len(cases()) >= len(BARE) + 30


@pytest.mark.parametrize("line", cases())
def test_a_documented_command_line_is_accepted_or_names_what_to_install(line: str) -> None:
    script, *arguments = words(line)
    command = script.removeprefix("lerobot-")
    model = registry.config_class("command", command)
    try:
        config = load(model, arguments).config
    except ConfigError as error:
        types = {section: re.search(rf"--{section}\.type=(\S+)", line) for section in ("robot", "teleop")}
        asked = {found[1]: "robot" if name == "robot" else "teleoperator" for name, found in types.items() if found}
        for problem in error.problems:
            kind = asked.get(problem.given or "", "camera")
            assert problem.where.endswith("type"), f"{problem}"
            distribution = known_plugins(kind)[str(problem.given)].distribution
            answer = install_hint(distribution) if distribution else "known to huggingface/lerobot, not here yet"
            assert answer.rstrip(".") in str(problem)
            assert distribution not in {found.distribution for found in registry.plugins(kind)}
        return
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if equals and flag.startswith("--") and "{" not in value:
            given: object = config
            for key in flag.removeprefix("--").split("."):
                given = getattr(given, key)
            assert str(given).lower() == value.lower(), flag


def test_device_types_that_are_installed_resolve() -> None:
    """At least core's own devices do, so that the test above cannot pass on install lines alone."""
    model = registry.config_class("command", "teleoperate")
    config = load(model, ["--robot.type=fake", "--teleop.type=fake", "--fps=60", "--teleop_time_s=10"]).config
    assert (config.robot.type, config.teleop.type, config.fps, config.teleop_time_s) == ("fake", "fake", 60, 10)
