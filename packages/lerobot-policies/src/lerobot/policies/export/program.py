"""A policy and its processors as one function of what a robot gives, traced by `torch.export`."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from lerobot.core.errors import LeRobotError
from lerobot.core.images import network_images
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeatures
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import Processors

log = logging.getLogger(__name__)


@runtime_checkable
class Exportable(Protocol):
    """What a policy adds to say that it can be exported."""

    def exported_chunk(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Predict `(B, T, Da)` from the batch alone.

        Nothing is remembered or drawn at random, and no branch depends on a value. In the mode for inference it equals
        `predict_action_chunk`.

        Args:
            batch: what the pre-processor gives.
        """
        ...


def require_exportable(policy: PreTrainedPolicy) -> None:
    """Check that a policy offers to be exported.

    Raises:
        LeRobotError: it does not.
    """
    if not isinstance(policy, Exportable):
        raise LeRobotError(
            f"policy {policy.name!r} cannot be exported",
            expected="a policy whose chunk depends on the observation alone: one with the method exported_chunk",
        )


@dataclass(frozen=True, slots=True)
class Port:
    """One input of an exported policy, as a robot gives it.

    Attributes:
        name: the policy's key.
        shape: without the batch axis: `(D,)`, or `(H, W, C)` of an image.
        dtype: `"uint8"` of a colour image, `"float32"` of a vector, or of a depth map in millimetres.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["uint8", "float32"]

    @property
    def is_image(self) -> bool:
        """Whether this is `(H, W, C)`."""
        return len(self.shape) == 3

    def as_in_dataset(self, value: Tensor) -> Tensor:
        """Turn `(B, H, W, C)` into `(B, C, H, W)`, bytes into float32 in [0, 1]; a vector stays as it is."""
        return network_images(value) if self.is_image else value


def ports_of(inputs: PolicyFeatures) -> list[Port]:
    """Say what a robot gives for each input of a policy.

    Args:
        inputs: the policy's input features; images `(C, H, W)`.
    """
    ports = []
    for name, feature in inputs.items():
        if feature.type is FeatureType.VISUAL:
            channels, height, width = feature.shape
            ports.append(Port(name, (height, width, channels), "float32" if channels == 1 else "uint8"))
        else:
            ports.append(Port(name, feature.shape, "float32"))
    return ports


class RobotToAction(nn.Module):
    """Pre-processor, policy and post-processor in one.

    Args:
        policy: gives the chunk; in the mode for inference.
        processors: its processors.
        ports: the inputs, in the order of the arguments of `forward`.
    """

    def __init__(self, policy: nn.Module, processors: Processors, ports: Sequence[Port]) -> None:
        super().__init__()
        self.policy = policy
        self._processors = processors
        self._ports = tuple(ports)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Turn what a robot gives into its next actions `(B, T, Da)` float32, in its units."""
        batch = {port.name: port.as_in_dataset(value) for port, value in zip(self._ports, inputs, strict=True)}
        chunk = self.policy.exported_chunk(self._processors.preprocessor(batch))  # type: ignore[operator]
        actions: Tensor = self._processors.postprocessor(chunk)
        return actions


@dataclass(frozen=True, slots=True)
class Trace:
    """A traced policy.

    Attributes:
        program: the program; its inputs are those of `ports`, in order.
        ports: what a robot gives.
        dynamic: whether it takes any batch size; otherwise only 1.
    """

    program: ExportedProgram
    ports: tuple[Port, ...]
    dynamic: bool


def trace(trained: PolicyWithProcessors, examples: Mapping[str, Tensor]) -> Trace:
    """Trace a policy with its processors.

    Args:
        trained: an `Exportable` policy, on the CPU; not changed.
        examples: by input, `(2, ...)`.

    Raises:
        LeRobotError: it cannot be traced.
    """
    ports = tuple(ports_of(trained.policy.config.input_features))
    # Traced steps remember tensors that stand for any value, which the caller's must not.
    policy, processors = copy.deepcopy((trained.policy, trained.processors))
    module = RobotToAction(policy.eval(), processors, ports)
    inputs = tuple(examples[port.name] for port in ports)
    try:
        return Trace(_traced(module, inputs, dynamic=True), ports, dynamic=True)
    except Exception as error:  # noqa: BLE001 - tracing runs the policy on symbols, where any of its code can fail
        log.info("no batch of any size: %s", error)
    try:
        return Trace(_traced(module, tuple(value[:1] for value in inputs), dynamic=False), ports, dynamic=False)
    except Exception as error:  # as above, and there is no smaller promise to fall back to
        raise LeRobotError(
            f"policy {trained.policy.name!r} or its processors cannot be traced: "
            + f"{type(error).__name__}: {error}".splitlines()[0]
        ) from error


def _traced(module: RobotToAction, inputs: tuple[Tensor, ...], *, dynamic: bool) -> ExportedProgram:
    batch = Dim("batch", min=1)
    shapes = {"inputs": tuple({0: batch} for _ in inputs)} if dynamic else None
    with torch.no_grad():
        return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
