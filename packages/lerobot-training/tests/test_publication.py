"""Uploading a trained policy, with the Hub's client replaced."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import yaml

from lerobot.core.errors import LeRobotError
from lerobot.training.publication import model_card, publish


@pytest.fixture
def config() -> Any:
    from tiny_policy import TinyConfig

    return TinyConfig(repo_id="owner/name", tags=["lab", "robotics"], license="mit")


def test_the_card_says_what_it_is(config: Any) -> None:
    card = model_card(config, "owner/data")
    front = yaml.safe_load(card.split("---")[1])
    assert front == {
        "license": "mit",
        "library_name": "lerobot",
        "pipeline_tag": "robotics",
        "model_name": "tiny",
        "datasets": "owner/data",
        "tags": ["robotics", "lerobot", "tiny", "lab"],
    }


def test_card_and_files_are_uploaded(config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[tuple[str, Any]] = []

    class Api:
        def create_repo(self, name: str, **_: Any) -> Any:
            return SimpleNamespace(repo_id=name)

        def upload_file(self, *, repo_id: str, path_in_repo: str, **_: Any) -> None:
            sent.append((repo_id, path_in_repo))

        def upload_folder(self, *, repo_id: str, folder_path: Path, **_: Any) -> None:
            sent.append((repo_id, folder_path))

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    publish(tmp_path, config, "owner/data")
    assert sent == [("owner/name", "README.md"), ("owner/name", tmp_path)]


def test_a_failed_upload_says_that_the_policy_is_safe(
    config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", fail)
    with pytest.raises(LeRobotError, match="no route to host") as caught:
        publish(tmp_path, config, "owner/data")
    assert f"hf upload owner/name {tmp_path}" in caught.value.hint


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--policy.repo_id=owner/name",), ["owner/name"]),
        (("--policy.repo_id=owner/name", "--policy.push_to_hub=false"), []),
        ((), []),
    ],
)
def test_a_run_uploads_only_what_it_was_asked_to(
    train: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    flags: tuple[str, ...],
    expected: list[str],
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "lerobot.training.command.publish", lambda folder, config, _: asked.append(config.repo_id) or folder.stat()
    )
    train(tmp_path / "run", "--steps=1", *flags)
    assert asked == expected
