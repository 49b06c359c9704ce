"""A phone that a test moves: what its page would send, over TLS."""

import json
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lerobot.phone.config import PhoneConfig
from lerobot.phone.teleoperator import Phone
from lerobot.remote.wire.tls import client_context

sys.path.append(str(Path(__file__).parent))

from web_phone import WebPhone

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden" / "hardware" / "phone" / "webxr_session.jsonl"


class Told:
    """A prompter that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @property
    def url(self) -> str:
        """The address of the page."""
        return next(text.partition(": ")[2] for text in self.said if "https://" in text)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the certificate is kept."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def config() -> PhoneConfig:
    # A thread may wait for long on a busy machine; what follows from silence is tested for itself.
    return PhoneConfig(phone_os="android", port=0, camera_offset=(0.0, 0.0, 0.0), max_age_s=2.0)


@pytest.fixture
def phone(config: PhoneConfig, told: Told) -> Iterator[Phone]:
    prompter: Any = told
    with Phone(config, prompter=prompter) as opened:
        yield opened


@pytest.fixture
def trusted(home: Path) -> Callable[[], ssl.SSLContext]:
    """What trusts the page's certificate and nothing else."""
    return lambda: client_context(home / "phone" / "certificate.pem")


@pytest.fixture
def web(phone: Phone, told: Told, trusted: Callable[[], ssl.SSLContext]) -> Iterator[Callable[..., WebPhone]]:
    """Open the page's connection, as often as is asked for."""
    with ExitStack() as stack:
        yield lambda **fields: stack.enter_context(WebPhone(told.url, trusted(), **fields))


@pytest.fixture(scope="session")
def recorded() -> list[dict[str, Any]]:
    """What the page of the package `teleop` sent, and which pose that package made of it."""
    if not GOLDEN.is_file():
        pytest.skip(f"{GOLDEN} is missing: recorded messages are not part of the repository")
    return [json.loads(line) for line in GOLDEN.read_text().splitlines()]
