"""The page as a teleoperator: the conformance kit, and that what is not fresh moves nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.testing import TeleoperatorContract
from lerobot.studio.inside.config import BrowserConfig
from lerobot.studio.inside.link import Link, studio_link
from lerobot.studio.inside.teleoperator import BrowserTeleoperator
from lerobot.studio.inside.wire import FILE, RUN

CONFIG = BrowserConfig(keys=("pan.pos", "x.vel"))


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Link]:
    """The link of a command whose studio is away."""
    monkeypatch.setenv(FILE, str(tmp_path / "studio.json"))
    monkeypatch.setenv(RUN, "run")
    link = studio_link()
    assert link is not None
    yield link
    link.close()


class TestContract(TeleoperatorContract):
    @pytest.fixture(autouse=True)
    def _in_the_studio(self, link: Link) -> None:
        link.jog = time.monotonic(), {"pan.pos": 0.5}

    @pytest.fixture
    def config(self) -> BrowserConfig:
        return CONFIG


def test_only_what_is_fresh_moves(link: Link) -> None:
    with BrowserTeleoperator(CONFIG) as teleoperator:
        still = {"jog.pan.pos": 0.0, "jog.x.vel": 0.0}
        assert teleoperator.get_action() == still
        link.jog = time.monotonic(), {"pan.pos": 0.5, "somebody.else": 1.0, "x.vel": -7.0}
        assert teleoperator.get_action() == {"jog.pan.pos": 0.5, "jog.x.vel": -1.0}
        link.jog = time.monotonic() - 0.31, {"pan.pos": 0.5}
        assert teleoperator.get_action() == still
        link.jog = time.monotonic() + 5.0, {"pan.pos": 0.5}
        assert teleoperator.get_action() == still, "a time in the future is another clock's"


def test_outside_of_the_studio_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE, raising=False)
    with pytest.raises(DeviceConnectionError, match="commands that `lerobot studio` starts"):
        BrowserTeleoperator(CONFIG).connect()


def test_keys_are_named_once() -> None:
    with pytest.raises(ValidationError, match="each key once"):
        BrowserConfig(keys=("a", "a"))
    with pytest.raises(ValidationError):
        BrowserConfig(keys=())
