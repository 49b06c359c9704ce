"""Every command line of README.md and docs/ names a command and flags that it has, whether or not the page is run.

What the line says is read by the command's own configuration; nothing is started. Values that only a run makes, such as
the folder of a checkpoint, are not asked for.
"""

import re
import shlex
from pathlib import Path

import pytest

from lerobot.core.cli.names import command_kind
from lerobot.core.cli.run import HELP, PRINT_CONFIG, TRACEBACK
from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?<![\w./'\"-])lerobot ([a-z][\w-]*)([^\n|;&>#`]*)")
OF_EVERY_COMMAND = HELP | PRINT_CONFIG | TRACEBACK


def commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of the blocks of a page, each with its flags."""
    lines = [line for block in BLOCK.findall(text) for line in COMMAND.findall(block.replace("\\\n", " "))]
    flags = [[word for word in shlex.split(words) if word.startswith("--")] for _, words in lines]
    return [(name, words) for (name, _), words in zip(lines, flags, strict=True)]


def unknown_flags(name: str, flags: list[str]) -> list[str]:
    try:
        load(registry.config_class(command_kind(name), name), [flag for flag in flags if flag not in OF_EVERY_COMMAND])
    except ConfigError as error:
        return [str(problem) for problem in error.problems if problem.expected in {"a known flag", "a known key"}]
    return []


PAGES = {
    str(page.relative_to(ROOT)): found
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if (found := commands(page.read_text(encoding="utf-8")))
}


def test_lines_are_found_and_a_wrong_one_is_seen() -> None:
    page = "```bash\nx=1 lerobot train --policy.type=act \\\n  --batchsize=2 | tee log\n```"
    ((name, flags),) = commands(page)
    assert (name, flags) == ("train", ["--policy.type=act", "--batchsize=2"])
    assert "--batch_size" in "".join(unknown_flags(name, flags))
    assert sum(map(len, PAGES.values())) > 300


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_flags_that_there_are(page: str) -> None:
    assert not [problem for command in PAGES[page] for problem in unknown_flags(*command)]
