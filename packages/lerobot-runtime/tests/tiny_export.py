"""An exported policy without a network worth the name, written by `onnx` alone, and the fake robot it drives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig
from lerobot.core.protocols.acting import Place
from lerobot.core.types import as_features
from lerobot.rollout.actor import robot_features

STATE, TOP = "observation.state", "observation.images.top"
HEIGHT, WIDTH, JOINTS, HORIZON = 32, 40, 6, 4
CAMERAS = f"--robot.cameras={{top: {{type: fake, width: {WIDTH}, height: {HEIGHT}, fps: 30}}}}"
ROBOT = FakeRobotConfig(cameras={"top": FakeCameraConfig(width=WIDTH, height=HEIGHT, fps=30)}).build()
FEATURES = robot_features(ROBOT)
NAMES: list[str] = FEATURES["action"]["names"]
UNITS = [as_features(ROBOT.action_features)[name].unit for name in NAMES]


def chunk_by_hand(state: np.ndarray, image: np.ndarray, noise: np.ndarray | float = 0.0) -> np.ndarray:
    """What the file computes: action t is the state, and 10 t, a hundredth of the brightness and the noise."""
    steps = np.arange(HORIZON, dtype=np.float32)[:, None]
    return (state + 10 * steps + image.astype(np.float32).mean() / 100 + noise).astype(np.float32)


def description(steps: int | None = None, noise: str | None = None, **changes: Any) -> dict[str, Any]:
    window = [] if steps is None else [steps]
    said = {} if steps is None else {"steps": steps}
    inputs: list[dict[str, Any]] = [
        {
            "name": STATE, "dtype": "float32", "shape": ["batch", *window, JOINTS], **said, "names": NAMES,
            "units": UNITS,
        },
        {
            "name": TOP, "dtype": "uint8", "shape": ["batch", *window, HEIGHT, WIDTH, 3], **said, "layout": "HWC",
            "units": "0 to 255, RGB",
        },
    ]  # fmt: skip
    if noise is not None:
        inputs.append({"name": "noise", "dtype": "float32", "shape": ["batch", HORIZON, JOINTS], "noise": noise})
    action = {"name": "action", "dtype": "float32", "shape": ["batch", HORIZON, JOINTS], "names": NAMES, "units": UNITS}
    return {
        "format_version": 2,
        "policy": "tiny",
        "fps": 50.0,
        "n_action_steps": 3,
        "task": None,
        "inputs": inputs,
        "outputs": [action],
        "config": {"type": "tiny", "chunk_size": HORIZON},
        **changes,
    }


def model_of(said: dict[str, Any]) -> onnx.ModelProto:
    """The sum of the window's states, the steps, the brightness of all its images and the noise."""
    ports = {each["name"]: each for each in said["inputs"]}
    windowed = ports[STATE].get("steps") is not None
    nodes = [
        helper.make_node("ReduceSum", [STATE, "window"], ["sum"], keepdims=1)
        if windowed
        else helper.make_node("Unsqueeze", [STATE, "window"], ["sum"]),
        helper.make_node("Cast", [TOP], ["bytes"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["bytes", "pixels"], ["brightness"], keepdims=0),
        helper.make_node("Unsqueeze", ["brightness", "ends"], ["mean"]),
        helper.make_node("Mul", ["mean", "hundredth"], ["light"]),
        helper.make_node("Add", ["sum", "steps"], ["planned"]),
        helper.make_node("Add", ["planned", "light"], ["seen"]),
        helper.make_node("Add", ["seen", "noise"], ["action"])
        if "noise" in ports
        else helper.make_node("Identity", ["seen"], ["action"]),
    ]
    constants = {
        "window": np.array([1], np.int64),
        "pixels": np.arange(1, 5 if windowed else 4, dtype=np.int64),
        "ends": np.array([1, 2], np.int64),
        "hundredth": np.array(0.01, np.float32),
        "steps": (10 * np.arange(HORIZON, dtype=np.float32))[None, :, None],
    }
    types = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(each["name"], types[each["dtype"]], each["shape"]) for each in said["inputs"]],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, said["outputs"][0]["shape"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"metadata": json.dumps(said)})
    return model


def write(folder: Path, said: dict[str, Any], **beside: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model_of(said), str(folder / "policy.onnx"))
    (folder / "policy.json").write_text(json.dumps({**said, "differences": {"policy.onnx": 0.0}, **beside}))
    return folder


def place(**changes: Any) -> Place:
    specs = as_features({**ROBOT.observation_features, **ROBOT.action_features})
    return Place(**{"label": "robot fake", "features": FEATURES, "specs": specs, "fps": 50.0, **changes})


def frames(count: int, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        {
            STATE: random.normal(size=JOINTS).astype(np.float32),
            TOP: random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8),
            "task": "",
        }
        for _ in range(count)
    ]
