"""Each planted defect is found, by the right check and in the right episode; clean datasets give no finding."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.verification import verify_dataset
from lerobot.datasets.checks import check_structure

DATA = Path(__file__).parents[4].parent / "shared/data"
CAMERA = "observation.images.cam"


def found(root, **options):
    return [(f.check, f.episode) for f in verify_dataset(root, **options)]


def change_rows(root, key, change):
    """Change one column of the only data file."""
    path = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    values = change(np.array(table.column(key).to_pylist()))
    array = pa.array(values.tolist(), table.schema.field(key).type)
    pq.write_table(table.set_column(table.schema.get_field_index(key), table.schema.field(key), array), path)


def change_info(root, **entries):
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def put(values, position, value):
    values[position] = value
    return values


def test_a_clean_recording(clean):
    assert found(clean) == []


@pytest.mark.parametrize(
    "name",
    [
        "rebot_b601_v30_1ep",
        *(f"derived_from_v1_{v}/{n}" for v in ("v21", "v30") for n in ("pusht_1ep", "xarm_lift_1ep")),
        *(pytest.param(f"derived_from_v1_{v}/aloha_sim_4ep", marks=pytest.mark.slow) for v in ("v21", "v30")),
    ],
)
def test_clean_real_datasets(name):
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    assert list(verify_dataset(DATA / name)) == []


@pytest.mark.parametrize("name", [pytest.param("cr5_v21_5ep", marks=pytest.mark.slow), "cr5_v30_5ep_official"])
def test_what_is_odd_in_a_real_dataset(name):
    """Its first states are older than the second ones (3 rad/s at once), and its time statistics are of other times."""
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    findings = list(verify_dataset(DATA / name))
    assert {f.check for f in findings} == {"jump", "statistics"}
    assert all(f.text.endswith("to frame 1") for f in findings if f.check == "jump")
    assert [f.feature for f in findings if f.check == "statistics"] == ["timestamp"]


def test_a_dataset_without_its_videos():
    if not (DATA / "pusht_v30_novideo").exists():
        pytest.skip("../shared/data/pusht_v30_novideo is not here")
    (finding,) = verify_dataset(DATA / "pusht_v30_novideo")
    assert (finding.severity, finding.check) == ("error", "video")
    assert "file-000.mp4 is missing" in finding.text


@pytest.mark.parametrize(
    ("key", "change", "check", "episode"),
    [
        ("frame_index", lambda v: put(v, 70, 3), "frame_index", 1),
        ("index", lambda v: v + (v >= 130), "index", 2),
        ("episode_index", lambda v: put(v, 5, 1), "data", None),
        ("timestamp", lambda v: put(v, 65, 9.0), "timestamps", 1),
        ("timestamp", lambda v: v * 1.01, "timestamps", 0),
        ("task_index", lambda v: put(v, 200, 4), "tasks", 3),
        ("action", lambda v: put(v, (100, 1), np.nan), "not_finite", 1),
    ],
)
def test_wrong_rows(dataset, key, change, check, episode):
    change_rows(dataset, key, change)
    assert (check, episode) in found(dataset, pictures=False)
    numbers = None if episode is None else [episode]
    assert check in {finding.check for finding in check_structure(dataset, numbers)}


def test_only_the_asked_episodes_are_looked_at(dataset):
    change_rows(dataset, "frame_index", lambda v: put(v, 70, 3))
    assert check_structure(dataset, [0, 2, 5]) == []
    assert [finding.episode for finding in check_structure(dataset, [1])] == [1]


@pytest.mark.parametrize(("entries", "check"), [({"total_frames": 359}, "totals"), ({"total_tasks": 2}, "totals")])
def test_wrong_totals(dataset, entries, check):
    change_info(dataset, **entries)
    assert check in [name for name, _ in found(dataset, pictures=False)]


def test_fewer_rows_than_promised(dataset):
    path = dataset / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 300), path)
    assert found(dataset) == [("data", None)]


@pytest.mark.parametrize("part", ["data", "videos", "meta/episodes"])
def test_truncated_files(dataset, part):
    (path,) = [path for path in (dataset / part).rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    findings = list(verify_dataset(dataset))
    assert findings
    for finding in findings:
        assert finding.severity == "error"
        assert path.name in finding.text


def test_an_image_that_cannot_be_decoded(dataset):
    """The index of the file is whole, the images in the middle are noise."""
    (path,) = (dataset / "videos").rglob("*.mp4")
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    checks = found(dataset)
    assert checks
    assert {check for check, _ in checks} <= {"undecodable"}


def test_too_few_images(dataset):
    path = dataset / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    for side, shift in (("from", 2 / 20), ("to", 0)):
        name = f"videos/{CAMERA}/{side}_timestamp"
        values = np.array(table.column(name).to_pylist())
        values[2] += shift
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    pq.write_table(table, path)
    assert ("picture_count", 2) in found(dataset)


def test_a_camera_that_freezes(make, tmp_path):
    record, _, image = make
    root = record(tmp_path / "set", images=lambda e, k: image(e, min(k, 20) if e == 3 else k))
    assert found(root) == [("frozen_camera", 3)]


def test_a_still_scene_is_no_frozen_camera(make, tmp_path):
    record, motion, image = make
    still = np.repeat(motion(0)[:1], 60, axis=0)
    root = record(
        tmp_path / "set",
        images=lambda e, k: image(e, 0 if e == 3 else k),
        states=lambda e: still if e == 3 else motion(e),
    )
    assert "frozen_camera" not in {check for check, _ in found(root)}


def test_a_black_camera(make, tmp_path):
    record, _, image = make
    root = record(tmp_path / "set", images=lambda e, k: image(e, k) * np.uint8(not (e == 1 and 10 < k < 15)))
    assert found(root) == [("black_camera", 1)]


def test_a_joint_that_jumps(make, tmp_path):
    record, motion, _ = make

    def states(episode):
        values = motion(episode)
        values[30, 0] += 25 * (episode == 2)
        return values

    root = record(tmp_path / "set", states=states)
    findings = list(verify_dataset(root, pictures=False))
    assert [(f.check, f.episode) for f in findings] == [("jump", 2)]
    assert "shoulder" in findings[0].text
    assert "frame 30" in findings[0].text


def test_a_joint_that_is_stuck(make, tmp_path):
    record, motion, _ = make

    def states(episode):
        values = motion(episode)
        if episode == 4:
            values[:, 1] = 7
        return values

    findings = list(verify_dataset(record(tmp_path / "set", states=states), pictures=False))
    assert [(f.check, f.episode) for f in findings] == [("stuck_joint", 4)]
    assert "elbow stays at 7" in findings[0].text


def test_an_episode_cut_short(make, tmp_path):
    record, _, _ = make
    assert found(record(tmp_path / "set", lengths=(60, 60, 5, 60, 60, 60)), pictures=False) == [("odd_length", 2)]


@pytest.mark.parametrize("entry", ["mean", "std", "max"])
def test_statistics_of_something_else(dataset, entry):
    path = dataset / "meta/stats.json"
    stats = json.loads(path.read_text())
    stats["action"][entry][1] += 1.0
    path.write_text(json.dumps(stats))
    assert found(dataset, pictures=False) == [("statistics", None)]


def test_missing_metadata(dataset, tmp_path):
    (dataset / "meta/tasks.parquet").unlink()
    assert [check for check, _ in found(dataset)] == ["metadata"]
    with pytest.raises(DatasetError, match="no dataset"):
        list(verify_dataset(tmp_path / "nothing"))


def test_a_recording_without_episodes(dataset):
    shutil.rmtree(dataset / "data")
    change_info(dataset, total_episodes=0, total_frames=0)
    assert found(dataset) == []
