"""Kinematics of the base, against what huggingface/lerobot computed."""

import json
import math
from dataclasses import astuple
from pathlib import Path

import pytest

from lerobot.lekiwi.base import BodyVelocity

GOLDEN = Path(__file__).resolve().parents[4] / "shared/data/golden/hardware/lekiwi/base_kinematics.json"


def test_wheel_speeds_are_those_of_the_recorded_table() -> None:
    if not GOLDEN.is_file():
        pytest.skip("the shared captures are not here")
    rows = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    assert len(rows) == 10
    for row in rows:
        wheels = {wheel: round(speed) for wheel, speed in BodyVelocity(*row["body"]).reachable().wheels().items()}
        assert list(wheels.values()) == row["wheel_raw"]
        assert astuple(BodyVelocity.from_wheels(wheels)) == pytest.approx(row["back"], abs=1e-9)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (BodyVelocity(x=0.3), BodyVelocity(x=0.2656932662452467)),
        (BodyVelocity(y=-0.3), BodyVelocity(y=-0.23009711818284617)),
        (BodyVelocity(theta=200.0), BodyVelocity(theta=105.46875)),
    ],
)
def test_what_the_wheels_reach_along_each_axis(wanted: BodyVelocity, reached: BodyVelocity) -> None:
    assert astuple(wanted.reachable()) == pytest.approx(astuple(reached), abs=1e-9)


def test_a_velocity_beyond_the_wheels_keeps_its_direction() -> None:
    wanted = BodyVelocity(0.3, 0.2, -90.0)
    got = wanted.reachable()
    assert max(map(abs, got.wheels().values())) == pytest.approx(3000)
    parts = [a / b for a, b in zip(astuple(got), astuple(wanted), strict=True)]
    assert parts == pytest.approx([parts[0]] * 3)
    assert parts[0] < 1


def test_a_velocity_within_reach_is_left_as_it_is() -> None:
    wanted = BodyVelocity(0.1, -0.05, 20.0)
    assert wanted.reachable() is wanted


def test_the_inverse_is_exact() -> None:
    for x, y, theta in ((0.1, 0.0, 0.0), (0.0, -0.2, 0.0), (0.0, 0.0, 45.0), (-0.1, 0.07, -33.0)):
        back = BodyVelocity.from_wheels(BodyVelocity(x, y, theta).wheels())
        assert math.dist(astuple(back), (x, y, theta)) < 1e-12
