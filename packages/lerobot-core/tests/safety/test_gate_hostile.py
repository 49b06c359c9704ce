"""A million hostile commands: nothing outside the limits may come out, whatever goes in."""

import math

import numpy as np
import pytest

from lerobot.core.errors import SafetyError
from lerobot.core.safety import SafetyConfig, SafetyGate, derive_limits
from lerobot.core.types import FeatureSpec

# low, high, rate per second and step, written down independently of the code under test
TABLE = {
    "pan.pos": (-110.0, 110.0, 120.0, 4.0),
    "grip.pos": (0.0, 100.0, 50.0, 5.0),
    "x.vel": (-0.3, 0.3, 0.6, 0.06),
}
FEATURES = {
    "pan.pos": FeatureSpec(unit="deg", range=(-110, 110), max_velocity=120),
    "grip.pos": FeatureSpec(unit="percent", range=(0, 100)),
    "x.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3)),
}
CONFIG = SafetyConfig(max_step={"pan": 4}, max_velocity={"grip": 50}, ramp_s=0.5)


class Liar:
    """Says it is a scalar and then refuses to be one."""

    shape = ()

    def __float__(self):
        raise RuntimeError("no")


class Sneaky(float):
    """A float that compares as if it were always in range."""

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return False


HOSTILE = [
    math.nan, math.inf, -math.inf, None, "50", b"5", "nan", True, 10**400, -(10**30), 1e308, -1e308, 5e-324, [1.0],
    [[1.0]], {"a": 1}, (), set(), np.array([1.0, 2.0]), np.float32("inf"), np.float64("nan"), np.array(7.0), object(),
    Liar(), Sneaky(1e9), Sneaky("nan"), 1 + 2j, lambda: 1.0, range(3), type, 110.0, -110.0, 100, 0, -0.0, 0.3, 1e9,
]  # fmt: skip
WHOLE = [None, 5, "action", [1, 2, 3], (), {"PAN.POS": 1.0}, {1: 2, None: 3}, {"pan.pos": 1.0, "evil": 1e9}, math.nan]


def violations(sent, before, elapsed):
    """Every broken rule of one command, by the table above."""
    wrong = [] if list(sent) == list(TABLE) else ["keys"]
    for key, (low, high, rate, step) in TABLE.items():
        value = sent.get(key)
        if type(value) is not float or not math.isfinite(value):
            wrong.append(f"{key} is {value!r}")
        elif not low <= value <= high:
            wrong.append(f"{key} = {value} outside")
        elif abs(value - before[key]) > min(rate * elapsed, step) * (1 + 1e-9) + 1e-12:
            wrong.append(f"{key} moved {value - before[key]} in {elapsed}")
    return wrong


def attack(number: int, seed: int) -> tuple[int, int]:
    """Send hostile commands; return how many came out and how often the gate ended the run."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(HOSTILE) + 6, size=(number, 3)).tolist()
    shapes = rng.integers(0, 40, size=number).tolist()
    numbers = rng.uniform(-400, 400, size=(number, 3)).tolist()
    steps = rng.choice([0.0, 1e-9, 1 / 60, 1 / 60, 1 / 60, 0.02, 0.3, -0.5, math.nan, 5.0], size=number).tolist()
    gate = SafetyGate(derive_limits(FEATURES, CONFIG)[0], CONFIG)
    before = {"pan.pos": 0.0, "grip.pos": 50.0, "x.vel": 0.0}
    now = latest = 0.0
    gate.engage(before, now)
    sent_count = stops = 0
    keys = list(TABLE)
    for index in range(number):
        pick, extreme = picks[index], 1e6 if index % 2 else -1e6
        action = {
            key: HOSTILE[which] if which < len(HOSTILE) else (numbers[index][place] if which % 2 else extreme)
            for place, (key, which) in enumerate(zip(keys, pick, strict=True))
        }
        shape = shapes[index]
        if shape < len(WHOLE):
            action = WHOLE[shape]
        elif shape < 14:
            action.pop(keys[shape % 3])
        # Time stands still, crawls, jumps ahead, jumps back, or is not a number.
        now = latest + steps[index]
        elapsed = max(0.0, now - latest) if math.isfinite(now) else 0.0
        latest = max(latest, now) if math.isfinite(now) else latest
        try:
            sent = gate.check(action, now, command_time_s=latest)
        except SafetyError:
            stops += 1
            before = {**before, "x.vel": 0.0}
            gate.engage(before, latest)
            continue
        if wrong := violations(sent, before, elapsed):
            raise AssertionError(f"command {index} ({action!r}): {wrong}")
        before = sent
        sent_count += 1
    return sent_count, stops


def test_the_checker_itself_sees_violations():
    before = {"pan.pos": 0.0, "grip.pos": 50.0, "x.vel": 0.0}
    assert violations(before, before, 0.0) == []
    assert violations({**before, "pan.pos": 2.1}, before, 1 / 60) != []
    assert violations({**before, "pan.pos": math.nan}, before, 1 / 60) != []
    assert violations({**before, "pan.pos": 111.0}, {**before, "pan.pos": 110.0}, 1.0) != []
    assert violations({**before, "x": 0.0}, before, 1 / 60) != []


def test_hostile_commands_never_get_through():
    sent, stops = attack(50_000, seed=1)
    assert sent + stops == 50_000
    assert sent > 40_000
    assert stops > 100


@pytest.mark.slow
def test_a_million_hostile_commands_never_get_through():
    sent, stops = attack(1_000_000, seed=2)
    assert sent + stops == 1_000_000
    assert sent > 800_000
