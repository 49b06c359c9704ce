"""Folders are the peer's, and environment variables are read when asked."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.core.config import load
from lerobot.core.config.base import ConfigModel, PathText
from lerobot.core.device import calibration_path
from lerobot.core.errors import ConfigError
from lerobot.core.paths import calibration_root, lerobot_home, user_path

VARIABLES = ["HF_LEROBOT_HOME", "HF_LEROBOT_CALIBRATION", "HF_HOME", "XDG_CACHE_HOME", "LEROBOT_HOME"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "/home/me")


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        ({}, "/home/me/.cache/huggingface/lerobot"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/lerobot"),
        ({"HF_HOME": "/hf", "XDG_CACHE_HOME": "/c"}, "/hf/lerobot"),
        ({"HF_LEROBOT_HOME": "~/robots", "HF_HOME": "/hf"}, "/home/me/robots"),
    ],
)
def test_the_home_folder(environment: dict[str, str], home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert lerobot_home() == Path(home)
    assert calibration_root() == Path(home) / "calibration"


def test_calibration_files_lie_where_the_peer_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", "/cal")
    assert calibration_path("robots", "so_follower", "black", None) == Path("/cal/robots/so_follower/black.json")
    assert calibration_path("robots", "so_follower", None, None) == Path("/cal/robots/so_follower/None.json")
    assert calibration_path("robots", "so_follower", "black", Path("/mine")) == Path("/mine/black.json")


def test_the_obsolete_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_HOME", "/old")
    with pytest.raises(ConfigError, match="HF_LEROBOT_HOME"):
        lerobot_home()


def test_a_tilde_is_the_home_folder() -> None:
    assert user_path("~/x") == user_path(Path("~/x")) == Path("/home/me/x")
    assert user_path("a/~") == Path("a/~")
    with pytest.raises(ConfigError, match=r"^path: got '~nobody-here/x', expected '~', or '~' and the name of a user"):
        user_path("~nobody-here/x")


class Where(ConfigModel):
    folder: Path | int | None = None
    place: PathText | None = None


def test_fields_that_hold_paths_expand_it_however_the_configuration_is_made() -> None:
    for folder in ("~/x", Path("~/x")):
        assert Where(folder=folder, place="~/y") == Where(folder=Path("/home/me/x"), place="/home/me/y")
    assert load(Where, ["--folder=~/x", "--place=~/y"]).config == Where(folder="/home/me/x", place="/home/me/y")
    assert Where(folder=3, place="owner//name").model_dump() == {"folder": 3, "place": "owner//name"}
    with pytest.raises(ValidationError, match="the name of a user"):
        Where(folder=Path("~nobody-here/x"))
    with pytest.raises(
        ConfigError, match=r"--place: got '~nobody-here/x', expected '~', or '~' and the name of a user"
    ):
        load(Where, ["--place=~nobody-here/x"])
