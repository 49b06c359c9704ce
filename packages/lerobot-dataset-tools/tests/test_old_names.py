"""What was imported from `lerobot.datasets` before its modules moved still is, with a notice."""

import importlib
import subprocess
import sys

import pytest

from lerobot.datasets import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_gives_the_thing_itself_and_says_where_it_is(old):
    home = importlib.import_module(MOVED[old])
    moved = importlib.import_module(f"lerobot.datasets.{old}")
    # A folder may hold modules only.
    for name in [name for name, value in vars(home).items() if getattr(value, "__module__", "").startswith("lerobot.")]:
        with pytest.warns(FutureWarning, match=f"lerobot.datasets.{old} is now {MOVED[old]}"):
            assert getattr(moved, name) is getattr(home, name)


def test_old_imports_as_people_wrote_them():
    code = (
        "import lerobot.datasets.editing.selection\n"
        "from lerobot.datasets.editing import delete_episodes\n"
        "from lerobot.datasets.commands.edit_dataset import EditDatasetConfig\n"
        "from lerobot.datasets.metadata import LeRobotDatasetMetadata\n"
        "assert lerobot.datasets.editing.selection.delete_episodes is delete_episodes\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("FutureWarning") == 4
