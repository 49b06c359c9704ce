"""The report page says what is in the dataset, holds everything in itself, and is made of damaged datasets too."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.commands.dataset_report import DatasetReportConfig
from lerobot.dataset_tools.report.axes import axes_of
from lerobot.dataset_tools.report.command import dataset_report
from lerobot.dataset_tools.report.content import Timing, evenly, timing_of
from lerobot.dataset_tools.report.curves import chart, thin
from lerobot.dataset_tools.report.thumbnails import thumbnail
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.shard import run_shard

CAMERA = "observation.images.cam"
LENGTHS = [5, 8, 4]
VOID = {"meta", "img", "path", "rect", "polyline"}
DATA = Path(__file__).parents[5] / "shared" / "data"


class Page(HTMLParser):
    """Checks that elements are nested, and collects what a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.rows: list[list[str]] = []
        self.charts: dict[str, list[str]] = {}
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.addresses += [named[key] for key in ("src", "href", "xlink:href") if key in named]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "svg":
            self.charts[named["aria-label"]] = []
        if tag == "polyline":
            self.charts[list(self.charts)[-1]].append(named["points"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def report(root: Path, tmp_path: Path, **settings) -> Page:
    output = tmp_path / "page.html"
    dataset_report(DatasetReportConfig(root=root, output=output, **settings))
    return Page(output.read_text(encoding="utf-8"))


@pytest.fixture
def root(tmp_path, make_dataset) -> Path:
    return make_dataset(tmp_path / "cubes", LENGTHS, video=True)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=900), st.integers(1, 50))
def test_a_thinned_line_keeps_its_ends_and_extremes(values, most):
    line = np.array(values, np.float64)
    rows, kept = thin(line, most)
    finite = line[np.isfinite(line)]
    assert np.array_equal(line[rows], kept)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= 2 * most + 2
    if finite.size:
        assert (kept[0], kept[-1], kept.min(), kept.max()) == (finite[0], finite[-1], finite.min(), finite.max())


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["shoulder_pan.pos", "wrist_roll.pos", "gripper.pos"], {"a: joints": [0, 1], "a: gripper": [2]}),
        (["joint_0_vel", "gripper", "joint_1_vel"], {"a: vel": [0, 2], "a: gripper": [1]}),
        (["ee.x", "ee.z", "ee.wx"], {"a: position": [0, 1], "a: rotation": [2]}),
        (["x.vel", "theta.vel", "arm.pos"], {"a: position vel": [0], "a: rotation vel": [1], "a: joints": [2]}),
        (["0", "1"], {"a": [0, 1]}),
    ],
)
def test_elements_of_one_unit_share_an_axis(names, groups):
    values = np.arange(2.0 * len(names)).reshape(2, -1)
    axes = axes_of("a", names, [values, np.full_like(values, np.nan)])
    assert {axis.label: axis.elements for axis in axes} == groups
    for axis in axes:
        assert axis.bounds == (values[:, axis.elements].min(), values[:, axis.elements].max())
        assert axis.names == [names[place] for place in axis.elements]


def test_a_chart_has_a_line_per_element_between_its_bounds():
    drawn = Page(chart(np.array([[0.0, 5.0], [10.0, 5.0]]), ["a<b", "c"], 2, (0.0, 10.0), "title"))
    # From the lower left to the upper right of the plot, and level through its middle.
    assert drawn.charts == {"title": ["52.0,128.0 552.0,8.0", "52.0,68.0 552.0,68.0"]}
    assert "0.5 s" in drawn.words
    assert "a<b" in drawn.words


def test_thumbnails_are_small_images_of_the_same_colour():
    address = thumbnail(np.full((48, 96, 3), (200, 30, 90), np.uint8))
    header, _, data = address.partition(",")
    image = PIL.Image.open(io.BytesIO(base64.b64decode(data)))
    assert header == "data:image/jpeg;base64"
    assert image.size == (240, 120)
    assert np.abs(np.asarray(image, np.int64) - [200, 30, 90]).max() <= 3


def test_depth_is_shown_from_its_nearest_to_its_farthest():
    depth = np.linspace(400, 900, 96, dtype=np.float32)[None, :, None].repeat(48, axis=0)
    data = thumbnail(depth).partition(",")[2]
    grey = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(data))), np.int64)[60, :, 0]
    assert grey[0] < 8
    assert grey[-1] > 247


def test_times_between_rows_are_measured():
    assert timing_of(np.array([0.0, 0.1, 0.2, 0.35])) == Timing(
        pytest.approx(3 / 0.35), pytest.approx(100), pytest.approx(149), pytest.approx(150)
    )
    assert timing_of(np.array([0.5])) is None
    assert timing_of(np.array([0.0, np.nan])) is None


@pytest.mark.parametrize(("total", "most", "expected"), [(3, 5, [0, 1, 2]), (10, 3, [0, 4, 9]), (7, 1, [0])])
def test_shown_episodes_reach_from_first_to_last(total, most, expected):
    assert evenly(total, most) == expected


def test_the_page_says_what_is_in_the_dataset(root, tmp_path):
    page = report(root, tmp_path)
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert len(page.addresses) == 3 * len(LENGTHS)
    assert ["task 0", "2", "9", "0.9"] in page.rows
    assert ["task 1", "1", "8", "0.8"] in page.rows
    assert "Seconds: shortest 0.4, median 0.5, longest 0.8." in page.words
    assert {"observation.state of episode 2", "action of episode 0"} < page.charts.keys()
    assert len(page.charts["observation.state of episode 1"]) == 2
    assert "The dataset has no statistics." in page.words


def test_statistics_are_those_of_the_dataset(root, tmp_path):
    stats = {"observation.state": {"min": [0, -16], "max": [16, 0], "mean": [8, -8], "std": [4.9, 4.9], "count": [17]}}
    (root / "meta/stats.json").write_text(json.dumps(stats))
    page = report(root, tmp_path, verify=False)
    assert ["observation.state", "b", "-16", "", "", "-8", "4.9", "", "0"] in page.rows
    assert "Findings" not in page.words


def test_chosen_episodes(root, tmp_path):
    page = report(root, tmp_path, episodes=(1,))
    assert "Episode 1" in page.words
    assert "Episode 0" not in page.words
    assert "1 of 3 episodes are shown below." in page.words


def test_texts_cannot_become_markup(root, tmp_path):
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    tasks = pa.array([["<script>alert(1)</script>"]] * table.num_rows)
    pq.write_table(table.set_column(table.schema.get_field_index("tasks"), "tasks", tasks), path)
    page = report(root, tmp_path, verify=False)
    assert "<script>alert(1)</script>" in page.words
    assert "<script" not in re.sub(r"&lt;script", "", (tmp_path / "page.html").read_text())


def test_a_dataset_without_its_videos_has_a_page_that_says_so(root, tmp_path):
    (root / f"videos/{CAMERA}/chunk-000/file-001.mp4").unlink()
    page = report(root, tmp_path)
    assert "file-001.mp4 is missing" in page.words
    assert len(page.addresses) == 6
    assert any(row[0] == "error" and row[1] == "video" for row in page.rows if row)


def test_an_engine_makes_the_same_page(root, tmp_path, monkeypatch):
    shards = []

    class Here:
        def run(self, plan_file, numbers, ended):
            shards.extend(numbers)
            for number in reversed(numbers):
                run_shard(plan_file, number)
                ended(number)

    monkeypatch.setattr(LocalExecutorConfig, "build", lambda _config: Here())
    (root / f"videos/{CAMERA}/chunk-000/file-001.mp4").unlink()
    report(root, tmp_path)
    text = (tmp_path / "page.html").read_text()
    report(root, tmp_path, executor=LocalExecutorConfig(), shard_size_in_mb=0.0001)
    assert (tmp_path / "page.html").read_text() == text
    assert len(shards) > 1
    assert not [path for path in root.parent.iterdir() if path.name.endswith(".job")]


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"episodes": (3,)}, "no episode 3"), ({"output": Path("/nowhere/at/all.html")}, "cannot be written")],
)
def test_what_cannot_be_done_is_one_error(root, tmp_path, settings, text):
    with pytest.raises(DatasetError, match=text):
        dataset_report(DatasetReportConfig(**{"root": root, "output": tmp_path / "page.html", **settings}))
    with pytest.raises(DatasetError, match="no dataset was named"):
        dataset_report(DatasetReportConfig())


@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")
def test_a_real_recording(tmp_path):
    page = report(DATA / "rebot_b601_v30_1ep", tmp_path)
    assert "871 frames, 29.0 s" in page.words
    assert len(page.charts["observation.state: joints of episode 0"]) == 6
    assert len(page.charts["observation.state: gripper of episode 0"]) == 1
