"""Metadata that contradicts the files: read as the files are, named by verify, and mended by a repair or any edit."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig, RepairConfig
from lerobot.dataset_tools.commands.verify_dataset import VerifyDatasetConfig
from lerobot.dataset_tools.edit.command import edit_dataset
from lerobot.dataset_tools.edit.derived import repair
from lerobot.dataset_tools.edit.selection import delete_episodes, merge
from lerobot.dataset_tools.edit.swap import backups
from lerobot.dataset_tools.verification import verify_dataset
from lerobot.dataset_tools.verification.command import verify_dataset_command
from lerobot.datasets.checks.derived import DERIVED
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format import layout
from lerobot.datasets.writer.recorder import DatasetRecorder

REAL = Path(__file__).parents[4].parent / "shared/data/derived_from_v1_v21/aloha_sim_4ep"
CAMERA = "observation.images.left"


def change_info(root: Path, **entries: object) -> None:
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def change_camera(root: Path, **entries: object) -> None:
    features = json.loads((root / "meta/info.json").read_text())["features"]
    features[CAMERA]["info"] |= {f"video.{name}": value for name, value in entries.items()}
    change_info(root, features=features)


def column(root: Path, name: str) -> list[float]:
    tables = [pq.read_table(path, columns=[name]) for path in sorted(root.glob("meta/episodes/*/*.parquet"))]
    return pa.concat_tables(tables).column(name).to_pylist()


def derived(root: Path) -> list[str]:
    return [finding.check for finding in verify_dataset(root, pictures=False) if finding.check in DERIVED]


def move_data(root: Path) -> None:
    change_info(root, data_path="data/part-{chunk_index:03d}/{file_index}.parquet")


def move_videos(root: Path) -> None:
    change_info(root, video_path="movies/{video_key}/{chunk_index}/{file_index}.mp4")


def move_ends(root: Path) -> None:
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table, name = pq.read_table(path), f"videos/{CAMERA}/to_timestamp"
    ends = pa.array(np.array(table.column(name)) - 1 / 30)
    pq.write_table(table.set_column(table.column_names.index(name), name, ends), path)


def drop_columns(root: Path, *names: str) -> None:
    for path in root.glob("data/*/*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns([*names]), path)


def drop_declaration(root: Path) -> None:
    features = json.loads((root / "meta/info.json").read_text())["features"]
    del features["index"]
    change_info(root, features=features)


def numbers(root: Path) -> dict[str, list[int]]:
    """The numbers of the rows, as the reader of frames gives them."""
    dataset = FrameDataset(LeRobotDatasetMetadata("a/b", root))
    items = dataset.read_arrays(range(len(dataset)))
    return {name: [int(item[name]) for item in items] for name in ("index", "episode_index", "frame_index")}


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (lambda root: drop_columns(root, "index"), "row_numbers"),
        (lambda root: drop_columns(root, "episode_index", "frame_index"), "row_numbers"),
        (drop_declaration, "row_numbers"),
        (lambda root: change_info(root, total_frames=3), "totals"),
        (lambda root: change_info(root, total_frames=None), "totals"),
        (lambda root: change_info(root, total_tasks=0), "totals"),
        (lambda root: change_info(root, splits={"train": "0:50"}), "splits"),
        (lambda root: change_info(root, splits=["train"]), "splits"),
        (move_data, "places"),
        (move_videos, "places"),
        (move_ends, "to_timestamp"),
        (lambda root: change_camera(root, codec="av1", pix_fmt="yuv444p"), "video_info"),
        (lambda root: change_camera(root, height=480), "video_info"),
    ],
)
def test_what_only_repeats_the_files_is_read_named_and_mended(dataset, recorded_hashes, hashes, damage, check):
    rows = numbers(dataset)
    damage(dataset)
    assert numbers(dataset) == rows
    expected = [value for episode in recorded_hashes for value in episode]
    assert hashes(dataset) == expected
    assert set(derived(dataset)) == {check}
    rest = delete_episodes(dataset, [1, 4], dataset.with_name("rest")).root
    assert derived(rest) == []
    result = repair(dataset)
    assert result.backup == backups(dataset)[-1]
    assert hashes(dataset) == expected
    assert derived(dataset) == []
    assert set(derived(result.backup)) == {check}


def test_a_repair_keeps_statistics_and_splits_that_fit(dataset):
    path = dataset / "meta/stats.json"
    stats = json.loads(path.read_text())
    stats["action"]["mean"][0] = 7.0  # Such as those of relative actions, which are no mistake.
    path.write_text(json.dumps(stats))
    splits = {"train": "0:4", "val": "4:6"}
    change_info(dataset, splits=splits, total_frames=1)
    repair(dataset)
    assert json.loads(path.read_text())["action"]["mean"][0] == 7.0
    assert json.loads((dataset / "meta/info.json").read_text())["splits"] == splits


def test_statistics_of_other_types_are_read_and_edited(dataset, recorded_hashes, hashes):
    """As polars and others write them: single precision, integers, lists of other kinds."""
    path = dataset / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    kinds = {"stats/action/mean": pa.large_list(pa.float32()), "stats/action/count": pa.large_list(pa.int32())}
    for name, type_ in kinds.items():
        values = pa.array(table.column(name).to_pylist(), type_)
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path)
    assert derived(dataset) == []
    both = merge([dataset, delete_episodes(dataset, [0], dataset.with_name("rest")).root], dataset.with_name("both"))
    kept = [value for episode in recorded_hashes[1:] for value in episode]
    assert hashes(both.root) == [value for episode in recorded_hashes for value in episode] + kept


def test_a_recording_goes_on_from_the_rows_and_not_from_the_totals(dataset, kit):
    frames = len(FrameDataset(LeRobotDatasetMetadata("a/b", dataset)))
    change_info(dataset, total_frames=frames + 100)
    with DatasetRecorder.resume(dataset) as recorder:
        kit.record(recorder, 6, 3)
    rows = FrameDataset(LeRobotDatasetMetadata("a/b", dataset)).read_arrays(range(frames + 3))
    assert [int(row["index"]) for row in rows] == list(range(frames + 3))
    assert list(verify_dataset(dataset, pictures=False)) == []


@pytest.mark.parametrize("true_size", [2, 3, 5])
@pytest.mark.parametrize("said", [1, 4, 1000])
def test_chunks_of_another_size_than_an_old_dataset_says(make_dataset, tmp_path, true_size, said):
    root = make_dataset(tmp_path / "old", [3, 2, 4, 2, 3, 2], version="v2.1", video=True)
    (root / "meta/episodes_stats.jsonl").write_text("")
    for path in sorted([*root.glob("data/*/*.parquet"), *root.glob("videos/*/*/*.mp4")]):
        chunk = f"chunk-{int(path.stem.removeprefix('episode_')) // true_size:03d}"
        target = Path(str(path).replace("chunk-000", chunk))
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    change_info(root, chunks_size=said)
    rows = FrameDataset(LeRobotDatasetMetadata("a/b", root)).read_arrays(range(16))
    assert [int(row["action"]) for row in rows] == list(range(16))
    assert set(derived(root)) == {"places"}
    assert derived(repair(root, tmp_path / "new").root) == []


def test_cameras_that_would_share_one_file_are_refused(dataset):
    change_info(dataset, video_path="videos/{chunk_index}/{file_index}.mp4")
    with pytest.raises(DatasetError, match="one file for 2 cameras"):
        repair(dataset)


def test_files_of_other_tools_are_named(dataset):
    (dataset / "meta/modality.json").write_text("{}")
    (dataset / "README.md").write_text("a card")
    (finding,) = verify_dataset(dataset, pictures=False)
    assert (finding.severity, finding.check) == ("note", "other_file")
    assert "meta/modality.json" in finding.text


def test_images_of_another_shape_than_declared_are_named(dataset):
    features = json.loads((dataset / "meta/info.json").read_text())["features"]
    features[CAMERA]["shape"][2] = 4
    change_info(dataset, features=features)
    found = {(f.severity, f.check, f.feature) for f in verify_dataset(dataset)}
    assert ("error", "image_shape", CAMERA) in found


def test_verify_prints_the_command_that_mends(dataset, capsys):
    change_info(dataset, splits={"train": "0:50"})
    assert verify_dataset_command(VerifyDatasetConfig(root=dataset, pictures=False)) == 0
    assert f"for splits: lerobot edit-dataset --root={dataset} --operation.type=repair" in capsys.readouterr().out
    edit_dataset(EditDatasetConfig(root=dataset, operation=RepairConfig()))
    assert verify_dataset_command(VerifyDatasetConfig(root=dataset, pictures=False)) == 0


@pytest.fixture
def one_video_each(tmp_path) -> Path:
    """A real recording as other writers lay it out: v3.0, one mp4 per episode, each said to end with its last image."""
    if not REAL.exists():
        pytest.skip("../shared/data/derived_from_v1_v21 is not here")
    whole = repair(REAL, tmp_path / "whole").root
    root = Path(shutil.copytree(whole, tmp_path / "set"))
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    camera, lengths = "observation.images.top", np.array(table.column("length"))
    shutil.rmtree(root / "videos")
    for episode in range(len(lengths)):
        target = root / layout.format_path(layout.VIDEO_PATH, 0, episode, camera)
        target.parent.mkdir(parents=True, exist_ok=True)
        (source,) = REAL.glob(f"videos/*/{camera}/episode_{episode:06d}.mp4")
        shutil.copy(source, target)
    fps = json.loads((root / "meta/info.json").read_text())["fps"]
    values = {
        "file_index": np.arange(len(lengths)),
        "from_timestamp": np.zeros(len(lengths)),
        "to_timestamp": (lengths - 1) / fps,
    }
    for name, array in values.items():
        name = f"videos/{camera}/{name}"
        table = table.set_column(table.column_names.index(name), name, pa.array(array))
    pq.write_table(table, path)
    return root


def test_a_real_recording_that_ends_with_its_last_image(one_video_each, tmp_path):
    camera = "observation.images.top"
    fps = json.loads((one_video_each / "meta/info.json").read_text())["fps"]
    lengths = column(one_video_each, "length")
    ends = [sum(lengths[: i + 1]) - 1 for i in range(len(lengths))]
    read = FrameDataset(LeRobotDatasetMetadata("a/b", one_video_each)).read_arrays(ends)
    original = FrameDataset(LeRobotDatasetMetadata("a/b", REAL)).read_arrays(ends)
    for item, other in zip(read, original, strict=True):
        np.testing.assert_array_equal(item[camera], other[camera])
    assert derived(one_video_each) == ["to_timestamp"] * len(lengths)
    rest = delete_episodes(one_video_each, [1], tmp_path / "rest").root
    repair(one_video_each)
    for root, kept in ((rest, [0, 2, 3]), (one_video_each, range(4))):
        wanted = [lengths[episode] / fps for episode in kept]
        np.testing.assert_allclose(column(root, f"videos/{camera}/to_timestamp"), wanted, atol=1e-3)
        assert derived(root) == []


def test_derived_numbers_of_rows_are_written_with_their_statistics_and_needed_to_record_on(dataset):
    before = {path.relative_to(dataset): pq.read_table(path) for path in dataset.glob("data/*/*.parquet")}
    stats = json.loads((dataset / "meta/stats.json").read_text())
    drop_columns(dataset, "index")
    rest = {key: value for key, value in stats.items() if key != "index"}
    (dataset / "meta/stats.json").write_text(json.dumps(rest))
    with pytest.raises(DatasetError, match=r"lack index\n  write them: lerobot edit-dataset --operation.type=repair"):
        DatasetRecorder.resume(dataset)
    repair(dataset)
    for path, table in before.items():
        assert pq.read_table(dataset / path).equals(table)
    assert json.loads((dataset / "meta/stats.json").read_text()) == stats
    assert not list(verify_dataset(dataset, pictures=False))
    DatasetRecorder.resume(dataset).close()


def test_what_lacks_numbers_in_some_files_alone_goes_through_a_merge(dataset, recorded, recorded_hashes, hashes):
    drop_columns(dataset, "index", "episode_index")
    drop_columns(recorded_copy := Path(shutil.copytree(recorded, dataset.with_name("other"))), "frame_index")
    with pytest.raises(DatasetError, match="nothing in it tells the place of each row"):
        numbers(dataset)
    both = merge([recorded_copy, recorded], dataset.with_name("both")).root
    expected = [value for episode in recorded_hashes for value in episode]
    assert hashes(both) == [*expected, *expected]
    assert numbers(both)["index"] == list(range(2 * len(expected)))
