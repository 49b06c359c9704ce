"""The page: what it says, and that it needs nothing else."""

import base64
import re
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.quickstart.curve import HEIGHT, WIDTH, learning_curve
from lerobot.quickstart.page import render, shell_line
from lerobot.quickstart.recipe import Settings, recipe
from lerobot.quickstart.results import episodes_recorded, losses, score

CHOSEN = Settings("reach", 300, 2000, 50, 1000)


class Reader(HTMLParser):
    """Collects text, sources of films and tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.sources, self.open = "", [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in {"meta", "line", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(tmp_path: Path, leave) -> Reader:
    steps = [step for stage in recipe(CHOSEN, tmp_path) for step in stage]
    for step in steps:
        leave(step.command)
    seconds = {"record-1": 61.4, "record-2": 60.0, "train": 150.0}
    scores = score(tmp_path / "eval"), score(tmp_path / "eval-untrained")
    reader = Reader()
    reader.feed(render(CHOSEN, steps, seconds, 211.4, scores, losses(tmp_path / "train")))
    return reader


def test_it_says_what_was_measured(page: Reader) -> None:
    assert page.open == []
    assert "48 of 50 episodes, 95 % Wilson interval 87.5 to 98.9 %" in page.text
    assert "untrained: 0 of 50" in page.text
    assert "3 min 31 s" in page.text


def test_it_needs_no_other_file(page: Reader) -> None:
    assert page.sources
    assert all(source.startswith("data:video/mp4;base64,") for source in page.sources)
    films = [base64.b64decode(source.partition(",")[2]) for source in page.sources]
    assert films == [b"film two", b"film ten"] * 2, "by their numbers; the trained policy's first"


def test_it_has_the_commands_as_they_were_run(page: Reader, tmp_path: Path) -> None:
    for step in (step for stage in recipe(CHOSEN, tmp_path) for step in stage):
        assert shell_line(step.command) in page.text
    assert "lerobot record --robot.type=so101_follower" in page.text


def test_a_printed_command_is_the_one_that_runs(tmp_path: Path) -> None:
    stages = recipe(Settings("reach", 2, 2, 3, 4), tmp_path / "with space")
    for step in (step for stage in stages for step in stage):
        typed = subprocess.run(
            ["sh", "-c", f"lerobot() {{ printf '%s\\0' \"$@\"; }}; {shell_line(step.command)}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert tuple(typed.stdout.split("\0")[:-1]) == step.command


def test_the_curve_goes_from_the_first_loss_to_the_last() -> None:
    drawing = ET.fromstring(learning_curve([(50, 2.0), (100, 1.0), (200, 0.5)]))
    points = [tuple(map(float, pair.split(","))) for pair in drawing.find("polyline").get("points").split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx((x2 - x1) / 2, abs=0.11)
    assert y1 - y0 == pytest.approx(2 * (y2 - y1), abs=0.11), "down is a smaller loss"
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    labels = [text.text for text in drawing.iter("text")]
    assert labels == ["0", "1", "2", "0", "100", "200"]


def test_results_of_a_run_that_was_resumed(tmp_path: Path) -> None:
    """Steps after the last checkpoint are run again; a line may be cut off."""
    (tmp_path / "metrics.csv").write_text("step,loss\n50,0.9\n100,0.8\n150,0.7\n100,0.81\n15")
    assert losses(tmp_path) == [(50, 0.9), (100, 0.81), (150, 0.7)]
    assert losses(tmp_path / "none") == []
    assert episodes_recorded(tmp_path) == 0


@pytest.mark.parametrize("content", ["{", "{}", '{"overall": {"n": 3}}', '{"overall": []}'])
def test_a_report_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "eval_info.json").write_text(content)
    with pytest.raises(LeRobotError, match=re.escape(str(tmp_path / "eval_info.json"))):
        score(tmp_path)
