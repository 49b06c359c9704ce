"""Actions that nobody friendly would send, through the gate; every command on the wire is looked at."""

import random
from collections.abc import Callable

import pytest

from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.unitree_g1.joints import JOINTS
from lerobot.unitree_g1.messages import decode_command, encode_command
from lerobot.unitree_g1.robot import UnitreeG1
from lerobot.unitree_g1.virtual import VirtualG1

KEYS = [joint.key for joint in JOINTS]


def hostile(rng: random.Random) -> object:
    numbers = [0, -1, 1e308, -1e308, float("nan"), float("inf"), 1e-320, 10**400, "1", None, True, [1.0], {"a": 1}]
    match rng.randrange(6):
        case 0:
            return rng.choice([None, 3, "action", [1.0], {}])
        case 1:
            return {key: rng.choice(numbers) for key in KEYS}
        case 2:
            return {rng.choice(KEYS): rng.choice(numbers), "kTail.q": 1.0}
        case 3:
            return {key: rng.uniform(-1, 1) * 10 ** rng.randrange(12) for key in KEYS}
        case _:
            return {key: rng.uniform(-4, 4) for key in KEYS}


@pytest.mark.parametrize("count", [800, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])])
def test_hostile_actions_move_nothing_beyond_its_limits(
    g1: VirtualG1, built: Callable[..., UnitreeG1], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, robot, seen = random.Random(7), built(g1), [set[float]() for _ in JOINTS]

    def sent(motors: list) -> None:
        """On its way to the wire: a bridge that is slower than this would miss some."""
        told = decode_command(encode_command(5, motors))[1]
        for joint, each, values in zip(JOINTS, told, seen, strict=True):
            assert joint.range[0] <= each.q <= joint.range[1]
            assert 0 <= each.kp <= joint.kp
            assert each.kd == joint.kd
            if len(values) < 50:
                values.add(each.q)
        send(motors)

    send = robot._send
    monkeypatch.setattr(robot, "_send", sent)
    with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0, stop_after_s=3600)) as gated:
        for _ in range(count):
            gated.observe()
            gated.send(hostile(rng))
    assert all(len(values) == 50 for values in seen), "nothing was driven"
    assert all(joint.range[0] <= q <= joint.range[1] for joint, q in zip(JOINTS, g1.q, strict=True))
    assert not g1.refused
