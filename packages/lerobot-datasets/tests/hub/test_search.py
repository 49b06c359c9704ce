"""Searching the Hub, by its real client, in a stand-in of it."""

import json
from typing import Any

import pytest

SEARCH = """
import contextlib, io
from lerobot.core.cli.run import run_command
from lerobot.core.errors import LeRobotError
result = []
for words in ALL:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            run_command("datasets", ["search", *words])
        except LeRobotError as error:
            print(type(error).__name__, str(error))
    result.append(out.getvalue())
"""


@pytest.fixture
def search(hub: Any, client: Any) -> Any:
    def run(*searches: list[str], **environment: str) -> Any:
        return client(f"ALL = {list(searches)}\n{SEARCH}", **environment)

    return run


@pytest.fixture(autouse=True)
def _repositories(hub: Any) -> None:
    for name, downloads in {"me/cubes": 7, "me/shirts": 30, "you/cubes_of_sugar": 12}.items():
        hub.add(name, downloads, ["LeRobot", "robotics"])
    hub.add("me/cubes_as_text", 99, ["text"])


def test_what_is_found_the_most_wanted_first(search: Any) -> None:
    everything, by_name, by_owner, nothing = search(
        [], ["cubes", "--format=json"], ["--author=me", "--limit=1"], ["spoons"]
    )
    assert everything.splitlines() == [
        "DATASET             DOWNLOADS  LIKES  UPDATED",
        "me/shirts                  30      2  2026-05-04",
        "you/cubes_of_sugar         12      2  2026-05-04",
        "me/cubes                    7      2  2026-05-04",
    ]
    found = json.loads(by_name)
    assert [row["repo_id"] for row in found] == ["you/cubes_of_sugar", "me/cubes"]
    assert found[0] == {"repo_id": "you/cubes_of_sugar", "downloads": 12, "likes": 2, "updated": "2026-05-04"}
    assert [line.split()[0] for line in by_owner.splitlines()] == ["DATASET", "me/shirts"]
    assert nothing == "no LeRobot dataset was found\n"


def test_a_hub_that_refuses_is_one_line(hub: Any, search: Any) -> None:
    hub.refuse["/api/datasets"], hub.refusal = 1, 400
    (refused,) = search([])
    assert refused.startswith("HubError the Hub could not be searched: ")
    assert "Bad request" in refused


def test_offline_nothing_is_asked(hub: Any, search: Any) -> None:
    (answer,) = search([], HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in answer
    assert not hub.requests
