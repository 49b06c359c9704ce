"""Calibration files from everywhere."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.fixture
def calibration_files() -> list[Path]:
    folder = SHARED / "data" / "calibration"
    if not folder.is_dir():
        pytest.skip("the shared calibration files are not here")
    return sorted(folder.rglob("*.json"))
