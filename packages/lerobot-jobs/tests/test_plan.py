"""Plans and receipts: what is refused, and what is done again."""

import json
from pathlib import Path

import pytest

from lerobot.core.errors import JobError
from lerobot.core.registry import registry
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.job import run_job
from lerobot.jobs.plan import Plan, load_plan
from lerobot.jobs.shard import run_shard


def write_row(row: dict[str, object], settings: dict[str, object], folder: Path) -> dict[str, object]:
    (folder / "row.txt").write_text(f"{settings['word']} {row['number']}", encoding="utf-8")
    return {"number": row["number"], "pairs": [("a", 1)]}


@pytest.fixture(autouse=True)
def _worker() -> object:
    with registry.temporary():
        registry.register("worker", "write_row", write_row)  # type: ignore[arg-type]
        yield


def written(folder: Path, rows: int = 3) -> Path:
    plan = Plan.of("write_row", {"word": "row"}, [{"number": number} for number in range(rows)])
    folder.mkdir()
    (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    return folder / "plan.json"


def test_names_follow_the_content_alone(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path / "job"))
    same = Plan.of("write_row", {"word": "row"}, [{"number": number} for number in (2, 1, 0)])
    other = Plan.of("write_row", {"word": "other"}, [{"number": number} for number in range(3)])
    assert [shard.name for shard in same.shards] == [shard.name for shard in reversed(plan.shards)]
    assert not {shard.name for shard in other.shards} & {shard.name for shard in plan.shards}
    assert len({plan.name, same.name, other.name}) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version"),
        ({"worker": "os:system"}, "worker"),
        ({"worker": "other"}, "not the name of its content"),
        ({"settings": {"word": "another"}}, "not the name of its content"),
        ({"settings": []}, "settings"),
        ({"extra": 1}, "extra"),
        ({"shards": [{"name": "0123456789abcdef", "row": {}}]}, "not the name of its content"),
    ],
)
def test_a_plan_that_was_changed_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = written(tmp_path / "job")
    path.write_text(json.dumps(json.loads(path.read_text()) | change), encoding="utf-8")
    with pytest.raises(JobError, match=rf"plan\.json is no plan: .*{said}"):
        load_plan(path)


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"missing\.json cannot be read"):
        load_plan(tmp_path / "missing.json")
    (tmp_path / "text.json").write_text("{", encoding="utf-8")
    with pytest.raises(JobError, match=r"text\.json is no plan"):
        load_plan(tmp_path / "text.json")
    with pytest.raises(JobError, match="two shards are equal"):
        Plan.of("write_row", {}, [{"a": 1}, {"a": 1}])
    with pytest.raises(JobError, match="cannot be written"):
        Plan.of("write_row", {}, [{"a": float("nan")}])


def test_a_shard_is_done_once(tmp_path: Path) -> None:
    path = written(tmp_path / "job")
    first = run_shard(path, 1)
    again = run_shard(path, 1)
    assert again == first
    assert first.data == {"number": 1, "pairs": [["a", 1]]}
    assert first.files.keys() == {"row.txt"}
    with pytest.raises(JobError, match="no shard 3"):
        run_shard(path, 3)


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "added", "receipt cut", "receipt gone"])
def test_a_result_that_is_not_what_its_receipt_says_is_made_again(tmp_path: Path, harm: str) -> None:
    path = written(tmp_path / "job")
    job, shard = JobFolder(path.parent), load_plan(path).shards[1]
    run_shard(path, 1)
    file, receipt = job.result(shard) / "row.txt", job.receipt_file(shard)
    match harm:
        case "cut":
            file.write_text("ro", encoding="utf-8")
        case "changed":
            file.write_text("row 9", encoding="utf-8")
        case "gone":
            file.unlink()
        case "added":
            (file.parent / "more.txt").write_text("x", encoding="utf-8")
        case "receipt cut":
            receipt.write_text(receipt.read_text()[:20], encoding="utf-8")
        case "receipt gone":
            receipt.unlink()
    assert job.receipt(shard, contents=True) is None
    run_shard(path, 1)
    assert job.receipt(shard, contents=True) is not None
    assert [each.name for each in job.result(shard).iterdir()] == ["row.txt"]
    assert file.read_text(encoding="utf-8") == "row 1"


def test_another_job_in_the_folder_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "job")
    plan = load_plan(path)
    other = Plan.of("write_row", {"word": "other"}, [{"number": 0}])
    with pytest.raises(JobError, match=rf"{plan.name} of worker 'write_row', not {other.name}"):
        run_job(other, path.parent, LocalExecutorConfig(workers=1), len)


def test_a_job_has_one_driver(tmp_path: Path) -> None:
    path = written(tmp_path / "job")
    with JobFolder(path.parent).driving(), pytest.raises(JobError, match="another process runs the job"):
        run_job(load_plan(path), path.parent, LocalExecutorConfig(workers=1), len)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match=r"the job in .*file/job cannot be written: "):
        run_job(Plan.of("write_row", {}, []), tmp_path / "file" / "job", LocalExecutorConfig(workers=1), len)


def test_a_commit_that_fails_keeps_what_is_done(tmp_path: Path) -> None:
    path = written(tmp_path / "job")
    plan = load_plan(path)
    for index in range(3):
        run_shard(path, index)

    def fail(_results: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        run_job(plan, path.parent, LocalExecutorConfig(workers=1), fail)
    assert run_job(plan, path.parent, LocalExecutorConfig(workers=1), len) == 3
    assert not path.parent.exists()


def test_the_command_does_one_shard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lerobot.jobs.command import run_shard_command
    from lerobot.jobs.commands.run_shard import RunShardConfig

    run_shard_command(RunShardConfig(plan=written(tmp_path / "job"), shard=2))
    assert "shard 2 (" in capsys.readouterr().out
