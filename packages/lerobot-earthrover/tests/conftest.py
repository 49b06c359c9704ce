"""A virtual rover, the robot that drives it, and the recorded session."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.earthrover.config import EarthRoverMiniPlusConfig
from lerobot.earthrover.robot import EarthRoverMiniPlus
from lerobot.earthrover.virtual import VirtualRover

CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "golden" / "hardware" / "earthrover"
PATIENT = {"max_age_s": 30.0, "max_telemetry_age_s": 30.0}
"""A machine that is busy with other tests is no fault."""


@pytest.fixture
def rover() -> Iterator[VirtualRover]:
    with VirtualRover() as rover:
        yield rover


@pytest.fixture
def robot(rover: VirtualRover) -> Iterator[Callable[..., EarthRoverMiniPlus]]:
    """Makes robots that are disconnected at the end."""
    made: list[EarthRoverMiniPlus] = []

    def make(**fields: Any) -> EarthRoverMiniPlus:
        made.append(EarthRoverMiniPlus(EarthRoverMiniPlusConfig(sdk_url=rover.url, **{**PATIENT, **fields})))
        return made[-1]

    yield make
    for each in made:
        each.disconnect()


@pytest.fixture
def captured() -> Callable[[str], Any]:
    """Reads a file of the recorded session of huggingface/lerobot."""
    if not CAPTURES.is_dir():
        pytest.skip(f"{CAPTURES} is not there")

    def read(name: str) -> Any:
        text = (CAPTURES / name).read_text()
        return [json.loads(line) for line in text.splitlines()] if name.endswith("jsonl") else json.loads(text)

    return read
