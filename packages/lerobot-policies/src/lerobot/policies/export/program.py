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
from lerobot.core.processors import TransitionKey
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import NOISE, FeatureType, PolicyFeatures
from lerobot.policies.formats import Precision
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import Pipeline, Processors
from lerobot.policies.processing.tokenizer import LanguageStep
from lerobot.policies.windowed import WindowedPolicy

log = logging.getLogger(__name__)


@runtime_checkable
class Exportable(Protocol):
    """What a policy adds to say that it can be exported."""

    def exported_chunk(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Predict `(B, T, Da)` from the batch alone.

        Nothing is remembered or drawn at random, and no branch depends on a value. In the mode for inference it equals
        `predict_action_chunk`.

        Args:
            batch: what the pre-processor gives: of a `WindowedPolicy` all observations, `(B, n_obs_steps, ...)`; of one
                that `DrawsNoise` also `noise`.
        """
        ...


@runtime_checkable
class DrawsNoise(Protocol):
    """What an `Exportable` policy adds if it draws random numbers: the file is given them."""

    @property
    def noise_law(self) -> Literal["normal", "exponential"]:
        """How they are distributed: with mean 0 and deviation 1, or with mean 1."""
        ...

    def draw_noise(self, rows: int) -> Tensor:
        """Draw what `predict_action_chunk` draws for as many observations, `(rows, ...)` float32.

        After the same seed both draw the same.

        Args:
            rows: number of observations.
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
            expected="a policy whose chunk depends on the observation, and on noise it can be given: one with the "
            "method exported_chunk",
        )


@dataclass(frozen=True, slots=True)
class Port:
    """One input of an exported policy: what a robot gives, or noise.

    Attributes:
        name: the policy's key.
        shape: without the batch axis: `(D,)`, or `(H, W, C)` of an image, behind the axis of a window; of noise any.
        dtype: `"uint8"` of a colour image, `"float32"` of a vector, of noise, or of a depth map in millimetres.
        steps: the last so many observations, the oldest first; None for the newest one, without an axis.
        noise: how random numbers are distributed; None for what a robot gives.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["uint8", "float32"]
    steps: int | None = None
    noise: Literal["normal", "exponential"] | None = None

    @property
    def is_image(self) -> bool:
        """Whether this is `(H, W, C)`, or a window of them."""
        return self.noise is None and len(self.shape) == (3 if self.steps is None else 4)

    def as_in_dataset(self, value: Tensor) -> Tensor:
        """Turn `(..., H, W, C)` into `(..., C, H, W)`, bytes into float32 in [0, 1]; a vector stays as it is."""
        return network_images(value) if self.is_image else value


def ports_of(inputs: PolicyFeatures, steps: int | None = None) -> list[Port]:
    """Say what a robot gives for each input of a policy.

    Args:
        inputs: the policy's input features; images `(C, H, W)`.
        steps: observations of a window; None for the newest one, without an axis.
    """
    window = () if steps is None else (steps,)
    ports = []
    for name, feature in inputs.items():
        if feature.type is FeatureType.VISUAL:
            channels, height, width = feature.shape
            shape = (*window, height, width, channels)
            ports.append(Port(name, shape, "float32" if channels == 1 else "uint8", steps))
        else:
            ports.append(Port(name, (*window, *feature.shape), "float32", steps))
    return ports


def ports_of_policy(policy: PreTrainedPolicy) -> list[Port]:
    """Say what a policy is given: by a robot, and as noise if it draws some."""
    config = policy.config
    ports = ports_of(config.input_features, config.n_obs_steps if isinstance(policy, WindowedPolicy) else None)
    if isinstance(policy, DrawsNoise):
        with torch.random.fork_rng(devices=()):
            ports.append(Port(NOISE, tuple(policy.draw_noise(1).shape[1:]), "float32", noise=policy.noise_law))
    return ports


class RobotToAction(nn.Module):
    """Pre-processor, policy and post-processor in one.

    Args:
        policy: gives the chunk; in the mode for inference.
        processors: its processors.
        ports: the inputs, in the order of the arguments of `forward`.
        words: what the policy is told in words, by key, `(1, ...)`; the same for every row.
    """

    def __init__(
        self, policy: nn.Module, processors: Processors, ports: Sequence[Port], words: Mapping[str, Tensor]
    ) -> None:
        super().__init__()
        self.policy = policy
        self._processors = processors
        self._ports = tuple(ports)
        self._words = dict(words)

    def with_policy(self, policy: nn.Module) -> "RobotToAction":
        """Give the same with another policy."""
        return RobotToAction(policy, self._processors, self._ports, self._words)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Turn what a robot gives into its next actions `(B, T, Da)` float32, in its units."""
        given = list(zip(self._ports, inputs, strict=True))
        batch = self._processors.preprocessor(
            {port.name: port.as_in_dataset(value) for port, value in given if port.noise is None}
        )
        rows = inputs[0].shape[0]
        batch |= {key: value.expand(rows, *value.shape[1:]) for key, value in self._words.items()}
        batch |= {port.name: value for port, value in given if port.noise is not None}
        chunk = self.policy.exported_chunk(batch)  # type: ignore[operator]
        actions: Tensor = self._processors.postprocessor(chunk.to(torch.float32))
        return actions


@dataclass(frozen=True, slots=True)
class Trace:
    """A traced policy.

    Attributes:
        program: the program; its inputs are those of `ports`, in order.
        ports: what it is given.
        dynamic: whether it takes any batch size; otherwise only 1.
        module: what was traced.
        examples: of its inputs, in order, `(2, ...)`, or `(1, ...)` if it is not `dynamic`.
        precision: what the policy computes in; its processors always compute in float32.
    """

    program: ExportedProgram
    ports: tuple[Port, ...]
    dynamic: bool
    module: RobotToAction
    examples: tuple[Tensor, ...]
    precision: Precision = "float32"


def trace(
    trained: PolicyWithProcessors,
    examples: Mapping[str, Tensor],
    *,
    task: str | None = None,
    precision: Precision = "float32",
) -> Trace:
    """Trace a policy with its processors.

    Args:
        trained: an `Exportable` policy, on the CPU; not changed.
        examples: by input, `(2, ...)`.
        task: what a policy that reads its task is told; the program has no words as inputs.
        precision: what the policy computes in.

    Raises:
        LeRobotError: it cannot be traced, or reads a task and is told none.
    """
    ports = tuple(ports_of_policy(trained.policy))
    # Traced steps remember tensors that stand for any value, which the caller's must not.
    policy, processors = copy.deepcopy((trained.policy, trained.processors))
    require_task(processors, task)
    words = {} if task is None else _words(processors.preprocessor, ports, examples, task)
    module = RobotToAction(policy.eval().to(getattr(torch, precision)), _without_words(processors), ports, words)
    inputs = tuple(examples[port.name] for port in ports)
    try:
        return Trace(_traced(module, inputs, precision, dynamic=True), ports, True, module, inputs, precision)
    except Exception as error:  # noqa: BLE001 - tracing runs the policy on symbols, where any of its code can fail
        log.info("no batch of any size: %s", error)
    inputs = tuple(value[:1] for value in inputs)
    try:
        return Trace(_traced(module, inputs, precision, dynamic=False), ports, False, module, inputs, precision)
    except Exception as error:  # as above, and there is no smaller promise to fall back to
        raise LeRobotError(
            f"policy {trained.policy.name!r} or its processors cannot be traced: "
            + f"{type(error).__name__}: {error}".splitlines()[0]
        ) from error


def require_task(processors: Processors, task: str | None) -> None:
    """Check that a policy that is told its task in words is told one.

    Raises:
        LeRobotError: it is not.
    """
    if task is None and any(isinstance(step, LanguageStep) for step in processors.preprocessor.steps):
        raise LeRobotError("the policy reads its task, and a file knows no words", expected="a task to export it for")


def _words(
    preprocessor: Pipeline, ports: Sequence[Port], examples: Mapping[str, Tensor], task: str
) -> dict[str, Tensor]:
    """What the steps that read words add to every observation, by key, `(1, ...)`."""
    seen = {port.name: port.as_in_dataset(examples[port.name]) for port in ports if port.noise is None}
    first, second = ({key: value[row : row + 1] for key, value in seen.items()} for row in (0, 1))
    told, others = _told(preprocessor, first, task), _told(preprocessor, second, task)
    if any(not torch.equal(value, others[key]) for key, value in told.items()):
        raise LeRobotError(
            "the policy reads what it observes in words, and a file knows no words",
            expected="a policy that reads its task alone",
        )
    return told


def _told(preprocessor: Pipeline, given: Mapping[str, Tensor], task: str) -> dict[str, Tensor]:
    told: dict[str, Tensor] = {}
    before: Mapping[str, object] = {}
    for index, transition in enumerate(preprocessor.step_through({**given, "task": [task]})):
        observation = transition[TransitionKey.OBSERVATION] or {}
        if index and isinstance(preprocessor.steps[index - 1], LanguageStep):
            told |= {key: value for key, value in observation.items() if key not in before}
        before = observation
    return told


def _without_words(processors: Processors) -> Processors:
    """Leave the steps out that read words."""
    steps = processors.preprocessor.steps
    processors.preprocessor.steps = [step for step in steps if not isinstance(step, LanguageStep)]
    return processors


def _traced(
    module: RobotToAction, inputs: tuple[Tensor, ...], precision: Precision, *, dynamic: bool
) -> ExportedProgram:
    batch = Dim("batch", min=1)
    shapes = {"inputs": tuple({0: batch} for _ in inputs)} if dynamic else None
    with torch.no_grad(), computed_in(precision):
        program = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
        # Mixed precision is no part of a program until its operators are taken apart.
        return program if precision == "float32" else program.run_decompositions({})


def computed_in(precision: Precision) -> torch.autocast:
    """Context in which a policy computes in few bits as `PreTrainedPolicy.precision` has it, on the CPU."""
    few = precision != "float32"
    # Casts that were remembered would be missing where they are needed next.
    return torch.autocast("cpu", getattr(torch, precision) if few else None, enabled=few, cache_enabled=False)
