"""Every tensor step compared with huggingface/lerobot's on the same input."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.processors import build_step, create_transition
from lerobot.core.registry import registry
from lerobot.policies.processing.config import AbsoluteActionsConfig
from lerobot.policies.processing.relative import link_relative_actions

pytestmark = pytest.mark.peer

random = np.random.default_rng(0)


def described(values: Any, dtype: str = "float32", *, tensor: bool = True) -> dict[str, Any]:
    return {"values": np.asarray(values, dtype).tolist(), "dtype": dtype, "torch": tensor}


def numbers(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return described(random.normal(size=shape), dtype)


def picture(*shape: int) -> dict[str, Any]:
    return described(random.integers(0, 256, shape), "uint8", tensor=False)


STATE, IMAGE = "observation.state", "observation.images.top"
FEATURES = {
    STATE: {"type": "STATE", "shape": [3]},
    "observation.environment_state": {"type": "ENV", "shape": [2]},
    IMAGE: {"type": "VISUAL", "shape": [3, 2, 2]},
    "action": {"type": "ACTION", "shape": [3]},
}
STATS = {
    key: {
        **{name: described(random.normal(size=size)) for name in ("mean", "min", "q01", "q10")},
        **{name: described(3 + random.random(size=size)) for name in ("std", "max", "q99", "q90")},
    }
    for key, size in ((STATE, 3), ("observation.environment_state", 2), (IMAGE, (3, 1, 1)), ("action", 3))
}
SAMPLE = {
    "observation": {STATE: numbers(2, 3), "observation.environment_state": numbers(2, 2), IMAGE: numbers(2, 3, 2, 2)},
    "action": numbers(2, 4, 3),
    "complementary_data": {"task": ["a", "b"]},
}


def normalization(name: str, mode: str, **more: Any) -> dict[str, Any]:
    kinds = dict.fromkeys(("STATE", "VISUAL", "ACTION"), mode)
    return {
        "name": name,
        "config": {"features": FEATURES, "norm_map": kinds, "eps": 1e-6, **more},
        "stats": STATS,
        "calls": [SAMPLE],
    }


CASES: list[dict[str, Any]] = [
    *(
        normalization(name, mode)
        for name in ("normalizer_processor", "unnormalizer_processor")
        for mode in ("MEAN_STD", "MIN_MAX", "QUANTILES", "QUANTILE10", "IDENTITY")
    ),
    normalization("normalizer_processor", "MEAN_STD", normalize_observation_keys=[STATE]),
    {
        "name": "to_batch_processor",
        "config": {},
        "calls": [
            SAMPLE,
            {
                "observation": {
                    STATE: numbers(3),
                    "observation.image": numbers(3, 2, 2),
                    IMAGE: numbers(3, 2, 2),
                    "observation.other": numbers(3),
                },
                "action": numbers(3),
                "complementary_data": {
                    "task": "a",
                    "index": described(4, "int64"),
                    "task_index": described(0, "int64"),
                },
            },
        ],
    },
    *(
        {"name": f"to_batch_processor_{entry}", "config": {}, "calls": [SAMPLE]}
        for entry in ("action", "observation", "complementary_data")
    ),
    *(
        {"name": "device_processor", "config": {"device": "cpu", "float_dtype": dtype}, "calls": [SAMPLE]}
        for dtype in (None, "float16", "double")
    ),
    *(
        {
            "name": "relative_actions_processor",
            "config": {"enabled": enabled, "exclude_joints": excluded, "action_names": names},
            "calls": [SAMPLE, {**SAMPLE, "action": numbers(2, 3)}],
        }
        for enabled in (True, False)
        for excluded, names in (([], None), (["Grip", ""], ["a", "gripper.pos"]), (["grip"], None))
    ),
    {
        "name": "observation_processor",
        "config": {},
        "calls": [
            {"observation": {"pixels": picture(5, 6, 3), "agent_pos": described([1, 2], "float64", tensor=False)}},
            {
                "observation": {
                    "pixels": {"top": picture(2, 5, 6, 3)},
                    "environment_state": described([[1]], tensor=False),
                }
            },
        ],
    },
    {"name": "numpy2torch_action_processor", "config": {}, "calls": [{"action": described([1, 2], tensor=False)}]},
    *(
        {
            "name": "torch2numpy_action_processor",
            "config": {"squeeze_batch_dim": squeeze},
            "calls": [{"action": numbers(*shape)} for shape in ((1, 2), (2, 2), (2,))],
        }
        for squeeze in (True, False)
    ),
]


def value(given: Any) -> Any:
    if isinstance(given, dict) and "values" in given:
        array = np.array(given["values"], dtype=given["dtype"])
        return torch.from_numpy(array) if given["torch"] else array
    return {key: value(each) for key, each in given.items()} if isinstance(given, dict) else given


def ours(case: dict[str, Any]) -> list[dict[str, Any]]:
    config = registry.config_class("processor", case["name"])(**case["config"])
    steps = [build_step(config, {"stats": value(case["stats"])} if "stats" in case else {})]
    if case["name"] == "relative_actions_processor":
        steps.append(build_step(AbsoluteActionsConfig(enabled=case["config"]["enabled"])))
        link_relative_actions(steps, steps)
    answers = []
    for call in case["calls"]:
        transition = create_transition(**value(call))
        for step in steps:
            transition = step(transition)
            answers.append({key: transition[key] for key in ("observation", "action", "complementary_data")})
    return answers


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name the interpreter of an environment with huggingface/lerobot")
    cases = tmp_path_factory.mktemp("steps") / "cases.json"
    cases.write_text(json.dumps(CASES))
    done = subprocess.run(
        [python, Path(__file__).with_name("peer_policy_steps.py"), cases],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def assert_same(found: Any, expected: Any, where: str) -> None:
    if isinstance(expected, dict) and "values" in expected:
        assert str(found.dtype) == expected["dtype"], where
        assert list(found.shape) == expected["shape"], where
        assert np.allclose(np.asarray(found, float), np.asarray(expected["values"], float), rtol=0, atol=1e-6), where
    elif isinstance(expected, dict):
        assert {str(key) for key in found} == set(expected), where
        for key, each in expected.items():
            assert_same(found[key], each, f"{where} {key}")
    else:
        assert found == expected, where


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number}-{CASES[number]['name']}")
def test_the_step_gives_what_the_peer_gives(answers: list[list[dict[str, Any]]], number: int) -> None:
    case = CASES[number]
    for call, (found, expected) in enumerate(zip(ours(case), answers[number], strict=True)):
        assert_same(found, expected, f"{case['name']} {call}")
