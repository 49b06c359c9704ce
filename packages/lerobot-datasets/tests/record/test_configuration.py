"""The flags are the peer's, read from its fact sheets; asking for help imports nothing heavy."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.datasets.commands.record import RecordConfig
from lerobot.datasets.commands.replay import ReplayConfig

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)
MODELS = {"record": RecordConfig, "replay": ReplayConfig}
OURS = {
    # Nothing leaves this computer unless asked for.
    "dataset.push_to_hub": "False",
    # A recording without a name, or without a person, cannot be made.
    "dataset.repo_id": "required",
    "teleop": "required",
    # Images are always encoded while they come in.
    "dataset.streaming_encoding": "True",
    # Faster on small computers; see lerobot.datasets.video.encoder_config.
    "dataset.rgb_encoder.vcodec": "h264",
    "dataset.rgb_encoder.crf": "None",
    "dataset.depth_encoder.crf": "None",
}
"""Defaults that differ from the peer's, and why."""


def sheet(name: str) -> str:
    path = SHARED / "spec/hardware" / name if SHARED else None
    if path is None or not path.exists():
        pytest.skip("../shared, with the fact sheets of the peer's command lines, is absent")
    return path.read_text(encoding="utf-8")


def flags(command: str) -> list[tuple[str, str]]:
    """(flag, default) of the peer's command."""
    section = sheet("cli_flags.md").split(f"## lerobot-{command} ")[1].split("\n## ")[0]
    return re.findall(r"^\| `--([\w.]+)` \| .* \| (.*?) \|$", section, re.MULTILINE)


def default(model: Any, flag: str) -> str:
    """Default of a field, as the sheet writes it."""
    *sections, name = flag.split(".")
    for section in sections:
        field = model.model_fields[section]
        model = field.annotation
    field = model.model_fields[name]
    return "required" if field.is_required() else str(field.get_default(call_default_factory=True))


@pytest.mark.parametrize("command", MODELS)
def test_every_flag_of_the_peer_exists_with_its_default(command):
    found = flags(command)
    assert len(found) > 5
    for flag, expected in found:
        ours = default(MODELS[command], flag)
        theirs = OURS.get(flag, expected.strip("*`").strip("'\""))
        if theirs.endswith("Config()"):
            continue
        same = ours == theirs or (ours.replace(".0", "") == theirs.replace(".0", ""))
        assert same, f"--{flag}: {ours}, the peer has {theirs}"


@pytest.mark.parametrize("command", MODELS)
def test_documented_command_lines_are_accepted_or_name_the_device_to_install(command):
    lines = [json.loads(line)["cmd"] for line in sheet("cli_cases.jsonl").splitlines()]
    own = [line for line in lines if re.match(rf"lerobot-{command}\b", line)]
    assert own
    for line in own:
        text = re.sub(r"(?:\\? +|^)#.*$", "", line, flags=re.MULTILINE).replace("\\\n", " ")
        text = text.replace("$ROBOT_CAMERAS", "{}")  # what the reader's shell holds there
        _, *arguments = shlex.split(re.sub(r"<(\w+)>", r"\1", text))
        problems = refused(MODELS[command], arguments)
        expected = ("is provided by", "is known to huggingface/lerobot, not here yet")
        assert all(any(text in problem for text in expected) for problem in problems), (line, problems)


def refused(model: Any, arguments: list[str]) -> list[str]:
    """What is wrong with a command line, one text per problem."""
    try:
        load(model, arguments)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_evaluations_are_refused_in_one_line():
    line = ["--robot.type=fake", "--teleop.type=fake", "--dataset.repo_id=me/eval_cubes"]
    (problem,) = refused(RecordConfig, line)
    assert problem.startswith("--dataset.repo_id: got 'me/eval_cubes'")
    assert len(refused(RecordConfig, [*line, "--dataset.fps=0"])) == 2


def test_configurations_import_nothing_heavy():
    code = "import sys, lerobot.datasets.commands.record, lerobot.datasets.commands.replay; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lerobot.datasets.commands.record" in loaded
    assert not {"numpy", "torch", "pyarrow", "av", "PIL", "datasets", "huggingface_hub"} & set(loaded)


def test_the_codec_by_its_earlier_flag(caplog):
    words = ["--robot.type=fake", "--teleop.type=fake", "--dataset.repo_id=me/try", "--dataset.vcodec=libsvtav1"]
    assert load(RecordConfig, words, {}).config.dataset.rgb_encoder.vcodec == "libsvtav1"
    assert "--dataset.vcodec is now --dataset.rgb_encoder.vcodec" in caplog.text
