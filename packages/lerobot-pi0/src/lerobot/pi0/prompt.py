"""Task and state in words, for the pi models that read the state instead of being shown it.

Source: PaligemmaTokenizer of openpi; Physical Intelligence 2025, arXiv:2504.16054, section IV.
"""

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.policies.features import OBSERVATION_STATE

BINS = 256


class StatePromptProcessorStep(ProcessorStep):
    """Writes each sample's task and scaled state into one prompt, and the configuration's ending behind it.

    Numbers of the state are told as the 256th of [-1, 1] that they lie in, 0 to 255; below the range, -1.

    Raises:
        FeatureMismatchError: the state or the task is missing, or they are not of as many samples.
    """

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Replace the task."""
        state = (transition.get(TransitionKey.OBSERVATION) or {}).get(OBSERVATION_STATE)
        data = transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        tasks = data.get("task")
        if not isinstance(state, Tensor) or state.ndim != 2:
            given = "no state" if state is None else f"a state of the shape {tuple(getattr(state, 'shape', ()))}"
            raise FeatureMismatchError(
                f"{self.registry_name} got {given}", keys=[OBSERVATION_STATE], expected="(B, Ds)"
            )
        if (
            not isinstance(tasks, list | tuple)
            or len(tasks) != len(state)
            or not all(isinstance(t, str) for t in tasks)
        ):
            raise FeatureMismatchError(
                f"the task is {tasks!r}", keys=["task"], expected=f"a text for each of the {len(state)} samples"
            )
        prompts = [
            f"Task: {cleaned(task)}, State: {' '.join(map(str, row))};\n{self.config.ending}"
            for task, row in zip(tasks, in_bins(state), strict=True)
        ]
        return {**transition, TransitionKey.COMPLEMENTARY_DATA: {**data, "task": prompts}}


def cleaned(task: str) -> str:
    """Give a task in one line of words."""
    return task.strip().replace("_", " ").replace("\n", " ")


def in_bins(state: Tensor) -> list[list[int]]:
    """Say for each number of `(B, Ds)` which of the bins it lies in; -1 for what is below all."""
    edges = torch.linspace(-1, 1, BINS + 1, dtype=torch.float64)[:-1]
    found: list[list[int]] = (torch.bucketize(state.detach().cpu().double(), edges, right=True) - 1).tolist()
    return found
