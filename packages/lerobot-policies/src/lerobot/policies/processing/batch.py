"""A batch axis for a single sample, as a robot or an environment gives it."""

from typing import Any

from torch import Tensor

from lerobot.core.processors import (
    ComplementaryDataProcessorStep,
    EnvTransition,
    ObservationProcessorStep,
    PolicyActionProcessorStep,
    ProcessorStep,
    TransitionKey,
)
from lerobot.core.processors.transition import copied
from lerobot.policies.features import OBSERVATION_ENVIRONMENT_STATE, OBSERVATION_STATE

IMAGE, IMAGES = "observation.image", "observation.images."


def _axes_of_a_sample(key: str) -> int | None:
    """How many axes the entry has without a batch; None for keys that are left alone."""
    if key in {OBSERVATION_STATE, OBSERVATION_ENVIRONMENT_STATE}:
        return 1
    return 3 if key == IMAGE or key.startswith(IMAGES) else None


def batched_action(action: Any) -> Any:
    """Give an action `(Da,)` a batch axis; others stay."""
    return action.unsqueeze(0) if isinstance(action, Tensor) and action.ndim == 1 else action


def batched_observation(observation: dict[str, Any]) -> dict[str, Any]:
    """Give states `(D,)` and images `(C, H, W)` a batch axis; others stay."""
    single = {
        key: value.unsqueeze(0)
        for key, value in observation.items()
        if isinstance(value, Tensor) and value.ndim == _axes_of_a_sample(key)
    }
    observation.update(single)
    return observation


def batched_complementary_data(data: dict[str, Any]) -> dict[str, Any]:
    """Put a task in a list, and give numbers of rows and tasks a batch axis."""
    if isinstance(data.get("task"), str):
        data["task"] = [data["task"]]
    for key in ("index", "task_index"):
        if isinstance(value := data.get(key), Tensor) and value.ndim == 0:
            data[key] = value.unsqueeze(0)
    return data


class ActionToBatchProcessorStep(PolicyActionProcessorStep):
    """See `batched_action`."""

    def action(self, action: Any) -> Any:
        """Add the axis."""
        return batched_action(action)


class ObservationToBatchProcessorStep(ObservationProcessorStep):
    """See `batched_observation`."""

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Add the axes."""
        return batched_observation(observation)


class ComplementaryDataToBatchProcessorStep(ComplementaryDataProcessorStep):
    """See `batched_complementary_data`."""

    def complementary_data(self, complementary_data: dict[str, Any]) -> dict[str, Any]:
        """Add the axes."""
        return batched_complementary_data(complementary_data)


class ToBatchProcessorStep(ProcessorStep):
    """Gives everything in a transition a batch axis."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Add the axes."""
        changed = {**transition, TransitionKey.ACTION: batched_action(transition.get(TransitionKey.ACTION))}
        for key, batched in (
            (TransitionKey.OBSERVATION, batched_observation),
            (TransitionKey.COMPLEMENTARY_DATA, batched_complementary_data),
        ):
            if (entry := transition.get(key)) is not None:
                changed[key] = batched(copied(entry))
        return changed
