"""The steps of end-effector space beside those of huggingface/lerobot, on the same input.

Inverse kinematics is compared with the peer's library instead, in `packages/lerobot-kinematics/tests/test_solver.py`: a
call of the peer is one step of the way, ours all of it.
"""

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.processors import create_transition
from lerobot.core.registry import registry

pytestmark = pytest.mark.peer

MOTORS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
REST = dict(zip([f"{name}.pos" for name in MOTORS], [10.0, -40.0, 40.0, 30.0, 5.0, 30.0], strict=True))
MOVED = {**REST, "shoulder_pan.pos": 25.0, "wrist_roll.pos": -20.0}


def target(*, enabled: bool, shift: float = 0.0, turn: float = 0.0) -> dict[str, Any]:
    targets = {"target_x": shift, "target_y": -shift, "target_z": shift / 2}
    turns = {"target_wx": turn, "target_wy": turn / 2, "target_wz": -turn}
    return {"enabled": enabled, **targets, **turns, "gripper_vel": 0.5}


DRIVE = [
    {"action": target(enabled=False), "observation": REST},
    {"action": target(enabled=False, shift=1.0), "observation": MOVED},
    {"action": target(enabled=True, shift=0.1, turn=0.2), "observation": REST},
    {"action": target(enabled=True, shift=0.3, turn=-0.4), "observation": MOVED},
    {"action": target(enabled=False), "observation": MOVED},
    {"action": target(enabled=True, shift=-0.2), "observation": MOVED},
]
SIZES = {"x": 0.5, "y": 0.4, "z": 0.3}
CASES: list[dict[str, Any]] = [
    *(
        {
            "name": f"forward_kinematics_joints_to_ee_{entry}",
            "config": {"motor_names": MOTORS},
            "entry": entry,
            "calls": [{entry: REST}, {entry: MOVED}],
        }
        for entry in ("action", "observation")
    ),
    *(
        {
            "name": "ee_reference_and_delta",
            "config": {"motor_names": MOTORS, "end_effector_step_sizes": SIZES, "use_latched_reference": latched},
            "entry": "action",
            "calls": DRIVE,
        }
        for latched in (True, False)
    ),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, float]]]:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name the interpreter of an environment with huggingface/lerobot")
    cases = tmp_path_factory.mktemp("interop") / "cases.json"
    cases.write_text(json.dumps(CASES))
    urdf = str(files("lerobot.kinematics").joinpath("models/so101.urdf"))
    done = subprocess.run(
        [python, Path(__file__).with_name("peer_kinematic_steps.py"), urdf, cases],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    answered: list[list[dict[str, float]]] = json.loads(done.stdout)
    return answered


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_a_step_makes_the_same_of_the_same(answers: list[list[dict[str, float]]], index: int) -> None:
    case = CASES[index]
    config = registry.config_class("processor", case["name"])
    step = config.model_validate({**case["config"], "kinematics": {"urdf_path": "so101"}}).build()
    for call, theirs in zip(case["calls"], answers[index], strict=True):
        ours = step(create_transition(**call))[case["entry"]]
        assert ours == pytest.approx(theirs, abs=1e-9)
