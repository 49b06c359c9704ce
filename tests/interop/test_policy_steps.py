"""Every tensor step compared with huggingface/lerobot's on the same input."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

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


def fractions(*shape: int) -> dict[str, Any]:
    return described(random.random(shape))


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
    *(
        {
            "name": "image_crop_resize_processor",
            "config": {"crop_params_dict": crops, "resize_size": size},
            "calls": [{"observation": {STATE: numbers(2, 3), IMAGE: fractions(2, 3, 9, 11)}}],
        }
        for crops, size in (
            ({IMAGE: [1, 2, 6, 5]}, None),
            ({IMAGE: [0, 1, 8, 10]}, [4, 7]),
            (None, [5, 5]),
            (None, [16, 20]),
            (None, None),
        )
    ),
    *(
        {
            "name": "tokenizer_processor",
            "tokenizer": "tokenizer_name",
            "config": {"max_length": length, "padding_side": side, "padding": padding, "truncation": True},
            "calls": [
                {"observation": {STATE: numbers(2, 3)}, "complementary_data": {"task": ["bed", "Action: dip"]}},
                {"observation": {STATE: numbers(1, 3)}, "complementary_data": {"task": "peep"}},
            ],
        }
        for length, side, padding in ((8, "right", "max_length"), (8, "left", "max_length"), (20, "right", "longest"))
    ),
    *(
        {
            "name": "action_tokenizer_processor",
            "tokenizer": "paligemma_tokenizer_name",
            "config": {"max_action_tokens": length, "fast_skip_tokens": 2},
            "calls": [{"action": described([[[0.0, 0.1], [0.3, 0.2]], [[0.5, 0.4], [0.1, 0.1]]])}],
            # Which tokens are codes is said by ours alone.
            "ours_alone": ["action.code_token_mask"],
        }
        for length in (24, 12)
    ),
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


def tenths(chunk: torch.Tensor) -> list[list[int]]:
    """A tokenizer of actions; the peer's script has the same."""
    return [[round(10 * each) for each in chunk.flatten().tolist()]]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of letters that ends every text with <eos>."""
    special = ["<pad>", "<bos>", "<eos>", "<unk>"]
    ids = {token: number for number, token in enumerate([*special, *dict.fromkeys("Action: |bdep")])}
    core = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    core.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", ids["<eos>"])])
    names = dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), special, strict=True))
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=core, **names).save_pretrained(folder)
    return folder


def value(given: Any) -> Any:
    if isinstance(given, dict) and "values" in given:
        array = np.array(given["values"], dtype=given["dtype"])
        return torch.from_numpy(array) if given["torch"] else array
    return {key: value(each) for key, each in given.items()} if isinstance(given, dict) else given


def ours(case: dict[str, Any]) -> list[dict[str, Any]]:
    config = registry.config_class("processor", case["name"])(**case["config"])
    given = {"stats": value(case["stats"])} if "stats" in case else {}
    if case["name"] == "action_tokenizer_processor":
        given["action_tokenizer"] = tenths
    steps = [build_step(config, given)]
    if case["name"] == "relative_actions_processor":
        steps.append(build_step(AbsoluteActionsConfig(enabled=case["config"]["enabled"])))
        link_relative_actions(steps, steps)
    answers = []
    for call in case["calls"]:
        transition = create_transition(**value(call))
        for step in steps:
            transition = step(transition)
            data = dict(transition["complementary_data"])
            for key in case.get("ours_alone", ()):
                data.pop(key)
            answers.append({**{key: transition[key] for key in ("observation", "action")}, "complementary_data": data})
    return answers


@pytest.fixture(scope="module")
def cases(tokenizer: Path) -> list[dict[str, Any]]:
    """The cases, with the folder of the tokenizer where one is wanted."""
    return [
        {**case, "config": {**case["config"], case["tokenizer"]: str(tokenizer)}} if "tokenizer" in case else case
        for case in CASES
    ]


@pytest.fixture(scope="module")
def answers(cases: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]] | None]:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name the interpreter of an environment with huggingface/lerobot")
    file = tmp_path_factory.mktemp("steps") / "cases.json"
    file.write_text(json.dumps(cases))
    done = subprocess.run(
        [python, Path(__file__).with_name("peer_policy_steps.py"), file],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[dict[str, Any]] | None] = json.loads(done.stdout)
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
def test_the_step_gives_what_the_peer_gives(
    cases: list[dict[str, Any]], answers: list[list[dict[str, Any]] | None], number: int
) -> None:
    case, answer = cases[number], answers[number]
    if answer is None:
        pytest.skip("the environment with huggingface/lerobot has no transformers, which its step needs")
    for call, (found, expected) in enumerate(zip(ours(case), answer, strict=True)):
        assert_same(found, expected, f"{case['name']} {call}")
