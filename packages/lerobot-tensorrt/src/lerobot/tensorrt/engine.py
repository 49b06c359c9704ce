"""Engines of TensorRT: built, and run on the GPU they were built for.

Source: docs.nvidia.com/deeplearning/tensorrt, Python API of TensorRT 10.
"""

from collections.abc import Sequence
from typing import Any

import torch

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require
from lerobot.policies.export.format import OUTPUT
from lerobot.policies.export.parity import Observations, Run


def require_tensorrt() -> Any:
    """Give NVIDIA's package.

    Raises:
        LeRobotError: it is not installed; the hint is the command that installs it.
    """
    # An extra: it is gigabytes, and no use without one of NVIDIA's GPUs. Without it there is the ONNX file.
    return require(
        "tensorrt",
        extra="engine",
        needed_by="an engine of TensorRT (not output: onnx)",
        distribution="lerobot-tensorrt",
    )


def build_engine(model: bytes, max_batch: int) -> bytes:
    """Build an engine for the GPU of this machine; takes minutes.

    Args:
        model: ONNX.
        max_batch: most observations at once.

    Raises:
        LeRobotError: TensorRT does not take the model, or builds nothing of it.
    """
    tensorrt = require_tensorrt()
    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse(model):
        problems = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise LeRobotError(f"TensorRT does not take the policy: {problems}")
    config = builder.create_builder_config()
    # Products of ten bits would not pass for float32.
    config.clear_flag(tensorrt.BuilderFlag.TF32)
    if max_batch > 1:
        profile = builder.create_optimization_profile()
        for index in range(network.num_inputs):
            given = network.get_input(index)
            shape = tuple(given.shape)[1:]
            profile.set_shape(given.name, (1, *shape), (1, *shape), (max_batch, *shape))
        config.add_optimization_profile(profile)
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise LeRobotError("TensorRT built no engine of the policy", hint="What it says above is why.")
    return bytes(built)


def run_engine(engine: bytes, names: Sequence[str]) -> Run:
    """Make a function of an engine that runs it.

    Args:
        engine: from `build_engine`, on this machine.
        names: of its inputs.

    Raises:
        LeRobotError: there is no GPU, or it is another one.
    """
    tensorrt = require_tensorrt()
    if not torch.cuda.is_available():
        raise LeRobotError("an engine of TensorRT runs on an NVIDIA GPU, and torch finds none")
    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    # The engine lives as long as whoever made it.
    runtime = tensorrt.Runtime(logger)
    loaded = runtime.deserialize_cuda_engine(engine)
    if loaded is None:
        raise LeRobotError("the engine was built for another GPU or another TensorRT", hint="Export it here.")
    context = loaded.create_execution_context()

    def run(observations: Observations) -> Any:
        given = {name: torch.from_numpy(observations[name]).cuda().contiguous() for name in names}
        for name, value in given.items():
            context.set_input_shape(name, tuple(value.shape))
            context.set_tensor_address(name, value.data_ptr())
        found = torch.empty(tuple(context.get_tensor_shape(OUTPUT)), device="cuda")
        context.set_tensor_address(OUTPUT, found.data_ptr())
        stream = torch.cuda.current_stream()
        if not context.execute_async_v3(stream.cuda_stream):
            raise LeRobotError("TensorRT could not run the engine", hint="What it says above is why.")
        stream.synchronize()
        return found.cpu().numpy()

    return run
