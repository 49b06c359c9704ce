"""`info.json` and feature declarations: what is understood, kept, and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.format import layout
from lerobot.datasets.format.features import (
    camera_keys,
    default_features,
    depth_keys,
    image_size,
    normalize_features,
)
from lerobot.datasets.format.info import Info, parse_info, parse_version


def document(**changes: Any) -> dict[str, Any]:
    features = {"action": {"dtype": "float32", "shape": [2], "names": ["a", "b"]}, **default_features()}
    return {"codebase_version": "v3.0", "fps": 30, "features": features, **changes}


def test_written_as_the_peer_writes_it() -> None:
    """Section A.2 of the fact sheet: order of keys, shapes as lists, no `tools` unless set."""
    text = parse_info(document(total_episodes=3, robot_type="so101"), Path("info.json")).to_json()
    assert list(json.loads(text)) == [
        *("codebase_version", "fps", "features", "total_episodes", "total_frames", "total_tasks", "chunks_size"),
        *("data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path", "robot_type", "splits"),
    ]
    assert text.startswith('{\n    "codebase_version": "v3.0",\n    "fps": 30,\n')
    assert json.loads(text)["features"]["action"] == {"dtype": "float32", "shape": [2], "names": ["a", "b"]}
    assert "tools" in json.loads(parse_info(document(tools=[{"name": "say"}]), Path("info.json")).to_json())


def test_unknown_entries_survive_and_nulls_of_converters_are_defaults() -> None:
    info = parse_info(document(total_videos=4, made_by="someone", chunks_size=None, splits=None), Path("info.json"))
    written = json.loads(info.to_json())
    assert (written["total_videos"], written["made_by"], written["chunks_size"], written["splits"]) == (
        *(4, "someone"),
        *(1000, {}),
    )


@pytest.mark.parametrize("fps", [30, 29.97, 12.5, 0.5])
def test_rates_keep_their_type(fps: float) -> None:
    read = parse_info(document(fps=fps), Path("info.json")).fps
    assert read == fps
    assert type(read) is type(fps)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fps": -1}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"fps": "fast"}, "fps"),
        ({"total_episodes": -1}, "total_episodes"),
        ({"chunks_size": 0}, "chunks_size"),
        ({"features": []}, "features"),
        ({"data_path": "/etc/{file_index}"}, "leaves the dataset folder"),
        ({"data_path": "data/{file_index.__class__}"}, "unknown field"),
        ({"data_path": "data/{file_index"}, "not a path template"),
        ({"codebase_version": "v9.0", "features": []}, "format v9.0"),
        ({"codebase_version": 3}, "codebase_version"),
    ],
)
def test_what_cannot_be_certain_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        parse_info(document(**changes), Path("info.json"))


@pytest.mark.parametrize(("text", "version"), [("v3.0", (3, 0)), ("3.1", (3, 1)), ("v2.1", (2, 1)), ("v2.0.1", (2, 0))])
def test_versions(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


def test_one_way_of_naming_files_serves_every_version() -> None:
    new = Info(fps=1, features={"cam": {"dtype": "video", "shape": (2, 2, 3)}})
    assert new.data_file(1, 1002) == "data/chunk-001/file-1002.parquet"
    assert new.video_file("cam", 0, 3) == "videos/cam/chunk-000/file-003.mp4"
    old = Info(
        codebase_version="v2.1",
        fps=1,
        features={},
        data_path=layout.LEGACY_DATA_PATH,
        video_path=layout.LEGACY_VIDEO_PATH,
    )
    assert old.data_file(0, 12) == "data/chunk-000/episode_000012.parquet"
    assert old.video_file("cam", 2, 2012) == "videos/chunk-002/cam/episode_002012.mp4"


def test_files_follow_their_numbers(tmp_path: Path) -> None:
    for chunk, file in [(1000, 0), (999, 0), (999, 1000), (999, 999)]:
        path = tmp_path / f"chunk-{chunk:03d}/file-{file:03d}.parquet"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "chunk-999/file-1.parquet.tmp").touch()
    assert [found[:2] for found in layout.numbered_files(tmp_path)] == [(999, 0), (999, 999), (999, 1000), (1000, 0)]
    assert layout.next_file(0, 998, 1000) == (0, 999)
    assert layout.next_file(0, 999, 1000) == (1, 0)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"dtype": "float31", "shape": [1]}, "dtype 'float31'"),
        ({"dtype": "float32", "shape": [0]}, "shape"),
        ({"dtype": "float32", "shape": [1] * 6}, "6 dimensions"),
        ({"dtype": "video", "shape": [3]}, "camera feature"),
        ({"shape": [3]}, "dtype and shape"),
        ("float32", "dtype and shape"),
    ],
)
def test_wrong_declarations_are_named(feature: Any, message: str) -> None:
    with pytest.raises(FeatureMismatchError, match=message) as caught:
        normalize_features({"arm": feature})
    assert caught.value.keys == ("arm",)


def test_a_slash_would_split_a_metadata_column() -> None:
    with pytest.raises(FeatureMismatchError, match="'observation/state'"):
        normalize_features({"observation/state": {"dtype": "float32", "shape": [1]}})


@pytest.mark.parametrize(
    "declared",
    [
        {"info": {"is_depth_map": True}},
        {"info": {"video.is_depth_map": True}},
        {"video_info": {"video.is_depth_map": True}},
    ],
)
def test_depth_in_every_spelling(declared: dict[str, Any]) -> None:
    """Section A.4 of the fact sheet."""
    features = normalize_features({"depth": {"dtype": "video", "shape": [4, 6, 1], **declared}})
    features |= normalize_features({"colour": {"dtype": "image", "shape": [4, 6, 3], "info": {"is_depth_map": False}}})
    assert depth_keys(features) == ["depth"]
    assert camera_keys(features) == ["depth", "colour"]


def test_size_of_an_image_either_way_round() -> None:
    assert image_size({"dtype": "image", "shape": (480, 640, 3), "names": None}) == (480, 640, 3)
    names = ["channels", "height", "width"]
    assert image_size({"dtype": "image", "shape": (3, 480, 640), "names": names}) == (480, 640, 3)
