"""Where meshes and pictures come from, and what is said where one is missing."""

import hashlib
from pathlib import Path

import pytest
from huggingface_hub.hf_api import RepoFile, RepoFolder

from lerobot.core.errors import LeRobotError
from lerobot.libero.assets import VARIABLE, check_files, find_assets
from lerobot.libero.config import LiberoConfig


def test_a_folder_is_named_by_the_option_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "scenes").mkdir(parents=True)
    (second / "scenes").mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, str(second))
    assert find_assets() == second
    assert find_assets(first) == first
    with pytest.raises(LeRobotError, match="is no folder of LIBERO's assets"):
        find_assets(tmp_path)


def test_offline_without_a_folder_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(LeRobotError, match="are not here, and cannot be downloaded") as caught:
        find_assets()
    assert VARIABLE in caught.value.hint


def listed(path: str, oid: str, *, large: bool) -> RepoFile:
    lfs = {"lfs": {"size": 5, "oid": oid, "pointerSize": 130}} if large else {}
    return RepoFile(path=path, size=5, oid="0" * 40 if large else oid, **lfs)


def test_files_are_compared_with_the_hubs_hashes(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes/large.msh").write_bytes(b"large")
    (tmp_path / "scenes/small.xml").write_bytes(b"small")
    listing = [
        RepoFolder(path="scenes", oid="0" * 40),
        listed("scenes/large.msh", hashlib.sha256(b"large").hexdigest(), large=True),
        # What `git hash-object` says of a file with the word small.
        listed("scenes/small.xml", "64c3ecd7abb014643a372e0155b41cfca014c01f", large=False),
    ]
    check_files(tmp_path, listing)
    (tmp_path / "scenes/large.msh").write_bytes(b"larger")
    with pytest.raises(LeRobotError, match=r"large\.msh is not the file of"):
        check_files(tmp_path, listing)
    (tmp_path / "scenes/large.msh").write_bytes(b"large")
    (tmp_path / "scenes/small.xml").write_bytes(b"smell")
    with pytest.raises(LeRobotError, match=r"small\.xml is not the file of"):
        check_files(tmp_path, listing)
    assert not (tmp_path / "scenes/small.xml").exists()
    (tmp_path / "scenes/large.msh").unlink()
    with pytest.raises(LeRobotError, match=r"large\.msh is missing"):
        check_files(tmp_path, listing)


def test_a_missing_mesh_is_named(assets: Path, tmp_path: Path) -> None:
    def linked(but: str) -> Path:
        folder = tmp_path / Path(but).stem
        for file in assets.rglob("*"):
            if file.is_file() and str(file.relative_to(assets)) != but:
                place = folder / file.relative_to(assets)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(file.resolve())
        return folder

    for missing in (
        "scenes/kitchen_background/visual/kitchen_background_vis.msh",
        "turbosquid_objects/moka_pot/moka_pot.xml",
    ):
        with pytest.raises(LeRobotError, match=rf"{Path(missing).name} is missing"):
            LiberoConfig(task="libero_10", task_ids=[2], assets=linked(missing)).build()


def test_a_download_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's client downloads into a folder named after the commit; what it did before is kept there."""
    folder = tmp_path / "datasets--lerobot--libero-assets/snapshots/abc123"
    (folder / "scenes").mkdir(parents=True)
    (folder / "scenes/small.xml").write_bytes(b"smell")
    listings: list[str] = []

    def tree(api: object, repo_id: str, *, repo_type: str, recursive: bool, revision: str) -> list[RepoFile]:
        assert (repo_id, repo_type, recursive) == ("lerobot/libero-assets", "dataset", True)
        listings.append(revision)
        return [listed("scenes/small.xml", "64c3ecd7abb014643a372e0155b41cfca014c01f", large=False)]

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repo_id, repo_type: str(folder))
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_tree", tree)
    with pytest.raises(LeRobotError, match=r"small\.xml is not the file of"):
        find_assets()
    (folder / "scenes/small.xml").write_bytes(b"small")
    assert [find_assets(), find_assets()] == [folder, folder]
    assert listings == ["abc123", "abc123"]
