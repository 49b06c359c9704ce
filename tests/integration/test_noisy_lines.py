"""Robots on a line that damages one answer in twenty, of every motor: nothing ends, and what was lost is told.

The five minutes of every robot run in `nox -s slow`; one robot of each maker of servos has a moment of it in every run.
"""

import math
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.registry import registry
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.core.types import FeatureSpec, as_features
from lerobot.motors.virtual import ARMS, Fault, Sweeper, VirtualBus

SHARE = 0.05
TICKS_HZ = 30
QUICK_TICKS, FIVE_MINUTES_S = 40, 300.0

ROBOTS: dict[str, tuple[str, dict[str, Any]]] = {
    "so101": ("so101_follower", {}),
    "koch": ("koch_follower", {}),
    "omx": ("omx_follower", {}),
    "aloha": ("aloha_follower", {}),
    "hope_jr_arm": ("hope_jr_arm", {}),
    "hope_jr_hand": ("hope_jr_hand", {"side": "right"}),
    "lekiwi": ("lekiwi", {"cameras": {}}),
}
"""Type and fields of a robot by its virtual line."""

QUICK = ("so101", "koch")


def swinging(spec: FeatureSpec, tick: int) -> float:
    """A tenth of the range about its middle, once in four seconds."""
    assert spec.range is not None
    low, high = spec.range
    return (low + high) / 2 + (high - low) / 10 * math.sin(2 * math.pi * tick / (4 * TICKS_HZ))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "lasts_s"),
    [
        *((name, 0.0) for name in QUICK),
        *(pytest.param(name, FIVE_MINUTES_S, marks=pytest.mark.slow) for name in ROBOTS),
    ],
)
def test_nothing_ends_and_losses_are_told_by_motor(
    name: str, lasts_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    robot_type, fields = ROBOTS[name]
    with VirtualBus(ARMS[name]) as line:
        config = registry.config_class("robot", robot_type)
        robot = config(port=line.port, id="noisy", calibration_dir=tmp_path, **fields).build(prompter=Sweeper([line]))
        targets = as_features(robot.action_features)
        with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0, stop_after_s=60.0)) as gated:
            # Servos that share two cores with whatever else runs are late now and then: that is not asked here.
            robot.bus.set_timeout(200)
            for servo in line.spec.servos:
                line.fault(servo.id, Fault.CORRUPT, SHARE)
            begin, tick = time.monotonic(), 0
            while tick < QUICK_TICKS or time.monotonic() - begin < lasts_s:
                gated.observe()
                gated.send({key: swinging(spec, tick) for key, spec in targets.items()})
                tick += 1
                if lasts_s:
                    gated.clock.sleep_until(begin + tick / TICKS_HZ)
            statistics = robot.bus.statistics
            assert statistics.failures == 0
            assert statistics.corrupt.total() > 0
        (told,) = (each.getMessage() for each in caplog.records if "Misses by motor:" in each.getMessage())
    sys.stdout.write(f"\n{name}, {tick} ticks: {told}\n")
    if lasts_s:
        assert set(statistics.corrupt) == {servo.id for servo in line.spec.servos}
        assert all(motor in told for motor in robot.bus.motors)
