"""The names of huggingface/lerobot: which import, and what the others say."""

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from lerobot.compat import table

SHARED = Path(__file__).parents[4] / "shared"
LIST = SHARED / "spec" / "import_names.txt"

MODULES = sorted(
    f"lerobot.{name}"
    for file in files("lerobot.compat").joinpath("names").iterdir()
    for name in table.tomllib.loads(file.read_text("utf-8"))
)


def used_names() -> list[tuple[str, str]]:
    """Module and name, as documents and examples of huggingface/lerobot 0.6.1 import them; from the shared list."""
    rows = [line.split() for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [(row[0], row[1]) for row in rows if len(row) == 3]


@pytest.mark.filterwarnings("ignore:lerobot.motors:FutureWarning")
@pytest.mark.parametrize("module", MODULES)
def test_what_the_table_says_is_there(module: str) -> None:
    for name in table.names(module):
        assert getattr(import_module(module), name, None) is not None, f"from {module} import {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_reason_is_one_line_that_ends(module: str) -> None:
    entries = table.module(module) or {}
    reasons = [each["missing"] for each in (entries, *entries.values()) if isinstance(each, dict) and "missing" in each]
    assert all(re.fullmatch(r"[^\n]+\.", reason) for reason in reasons)
