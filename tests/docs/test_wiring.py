"""The drawn wiring of an arm is that of its tables."""

import importlib.util
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).resolve().parents[2] / "docs/pictures"


def test_the_pictures_are_those_the_tables_give() -> None:
    spec = importlib.util.spec_from_file_location("draw_wiring", PICTURES / "draw_wiring.py")
    assert spec is not None
    assert spec.loader is not None
    draw_wiring: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw_wiring)
    for name, arms in draw_wiring.ARMS.items():
        picture = (PICTURES / f"{name}-wiring.svg").read_text(encoding="utf-8")
        assert picture == draw_wiring.drawing(arms), "run: python docs/pictures/draw_wiring.py"
