"""Documented lines of huggingface/lerobot's `lerobot-rollout`, `policy_server` and `robot_client` resolve here.

They name policies of other people's accounts: a saved one stands in for each.
"""

import json
import logging
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.cli.names import command_kind
from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rollout import command
from lerobot.rollout.commands.policy_server import PolicyServerConfig
from lerobot.rollout.commands.robot_client import RobotClientConfig

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)
COMMANDS = re.compile(r"lerobot-rollout|python -m lerobot\.async_inference\.(policy_server|robot_client)")
NOT_HERE = {
    "--robot.type": "robot {given!r} is known to huggingface/lerobot, not here",
    "--teleop.type": "got {given!r}, expected",
}
"""Devices whose packages do not exist yet, or are not installed: what is said of them instead."""
REASONS = {
    "--policy.base_model_path": "GR00T's own; the policy that stands in has none",
    "--policy.n_action_steps": "of policies with chunks; the policy that stands in has none",
    "the command line": "huggingface/lerobot's server is told its policy by the client; here --policy.path names it",
}
"""Why what is refused of a line has to be."""


def cases() -> list[str]:
    sheet = SHARED / "spec/hardware/cli_cases.jsonl" if SHARED else None
    if sheet is None or not sheet.exists():
        return ["python -m lerobot.async_inference.robot_client --robot.type=fake --policy_type=act"]
    lines = [json.loads(line)["cmd"] for line in sheet.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if COMMANDS.search(line)]


def words(line: str) -> tuple[str, list[str]]:
    """The command and its flags, without what the documentation writes for the reader and not for the shell."""
    text = re.sub(r"\\? +#.*$", "", line, flags=re.MULTILINE).replace("\\\n", " ")
    tokens = shlex.split(re.sub(r"<(\w+)>", r"\1", text))
    first = next(index for index, token in enumerate(tokens) if token.startswith(("lerobot-", "lerobot.")))
    return tokens[first].removeprefix("lerobot-").rpartition(".")[2], tokens[first + 1 :]


def test_the_sheet_is_there() -> None:
    if SHARED is None:
        pytest.skip("../shared, with the fact sheet of the peer's command lines, is absent")
    assert len(cases()) >= 20


@pytest.mark.parametrize("line", cases())
def test_a_documented_line_resolves_or_says_why_not(line: str, arm: PolicyWithProcessors, tmp_path: Path) -> None:
    arm.save_pretrained(tmp_path / "trained")
    name, arguments = words(line)
    flags = [re.sub(r"^--policy\.path=.*", f"--policy.path={tmp_path / 'trained'}", flag) for flag in arguments]
    # The owner's name and the cameras are the reader's to fill in.
    flags = [re.sub(r"\$\{?\w+\}?/", "me/", flag).replace("$ROBOT_CAMERAS", "{}") for flag in flags]
    try:
        load(registry.config_class(command_kind(name), name), flags)
    except ConfigError as error:
        for problem in error.problems:
            said = NOT_HERE.get(problem.where, "").format(given=problem.given)
            assert problem.where in REASONS or (said and said in str(problem)), f"{line}\n{problem}"


def resolved(model: type[Any], *flags: str) -> Any:
    return load(model, flags).config


def test_a_robot_client_is_a_rollout_with_a_remote_policy(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        config = resolved(
            RobotClientConfig,
            "--server_address=10.0.0.5:8081",
            "--robot.type=fake",
            "--policy_type=act",
            "--pretrained_name_or_path=me/act",
            "--policy_device=cuda",
            "--actions_per_chunk=20",
            "--chunk_size_threshold=0.7",
            "--aggregate_fn_name=average",
        )
    assert (config.policy.type, config.policy.address) == ("remote", "10.0.0.5:8081")
    inference = config.inference
    assert (inference.type, inference.actions_per_chunk, inference.chunk_size_threshold) == ("async", 20, 0.7)
    assert inference.aggregate_fn_name == "average"
    assert "--server_address is now --policy.address" in caplog.text
    assert resolved(RobotClientConfig, "--robot.type=fake").policy.address == "localhost:8080"


def test_what_has_no_counterpart_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="the report at the end says how often nothing was planned"):
        resolved(RobotClientConfig, "--robot.type=fake", "--debug_visualize_queue_size=True")


def test_a_policy_server_serves_what_it_is_told_and_says_its_name_of_today(
    arm: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    arm.save_pretrained(tmp_path / "trained")
    served: list[Any] = []
    monkeypatch.setattr(command, "serve", served.append)
    path = f"--policy.path={tmp_path / 'trained'}"
    config = resolved(PolicyServerConfig, "--host=127.0.0.1", "--fps=30", "--obs_queue_timeout=1", path)
    command.policy_server(config)
    assert (served[0].policy, served[0].host, served[0].port) == (config.policy, "127.0.0.1", 8080)
    assert "policy_server is now: lerobot serve" in caplog.text
    with pytest.raises(ConfigError, match="the server says which policy it serves"):
        resolved(PolicyServerConfig, "--port=8080")


def test_earlier_names_run_and_are_not_listed() -> None:
    for name in ("policy_server", "robot_client"):
        assert command_kind(name) == "earlier_command"
        assert name not in registry.names("command")
