"""Actions relative to the present state, and absolute again.

Source: the DeltaActions transform of openpi; keys and mask as in huggingface/lerobot 0.6.
"""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.policies.processing.config import AbsoluteActionsConfig, RelativeActionsConfig


def relative_mask(size: int, names: Sequence[str] | None, excluded: Sequence[str]) -> list[bool]:
    """Say which elements of an action are relative.

    Args:
        size: elements of the action, `Da`.
        names: joint names; without them every element is relative, and so are elements beyond the last name.
        excluded: parts of names, in any case, of joints that stay absolute.
    """
    tokens = [token.lower() for token in excluded if token]
    named = [not any(token in name.lower() for token in tokens) for name in (names or ())[:size]]
    return named + [True] * (size - len(named))


def _offset(action: Tensor, state: Tensor, mask: Sequence[bool]) -> Tensor:
    size = action.shape[-1]
    if state.shape[-1] < size:
        raise FeatureMismatchError(
            f"the state has {state.shape[-1]} elements, the action {size}",
            keys=[OBSERVATION_STATE, ACTION],
            expected="a state whose first elements are those of the action",
        )
    offset = state[..., :size].to(action) * torch.tensor(mask, dtype=action.dtype, device=action.device)
    return offset.unsqueeze(-2) if action.ndim == 3 else offset


class RelativeActionsProcessorStep(ProcessorStep):
    """Subtracts the state `(B, Ds)` from actions `(B, Da)` or `(B, T, Da)`, and remembers it for the way back."""

    def __init__(self, config: RelativeActionsConfig) -> None:
        super().__init__(config)
        self._state: Tensor | None = None

    def mask(self, size: int) -> list[bool]:
        """Say which of `size` elements are relative."""
        return relative_mask(size, self.config.action_names, self.config.exclude_joints)

    @property
    def state(self) -> Tensor | None:
        """The state seen last; None before the first observation of an episode."""
        return self._state

    def reset(self) -> None:
        """Forget the state."""
        super().reset()
        self._state = None

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Remember the state; make the action relative."""
        state = (transition.get(TransitionKey.OBSERVATION) or {}).get(OBSERVATION_STATE)
        if state is not None:
            self._state = state
        action = transition.get(TransitionKey.ACTION)
        if not self.config.enabled or action is None:
            return transition
        if state is None:
            raise FeatureMismatchError(
                "a relative action needs the state it is relative to", keys=[OBSERVATION_STATE], expected="both at once"
            )
        return {**transition, TransitionKey.ACTION: action - _offset(action, state, self.mask(action.shape[-1]))}


class LinkedStep(ProcessorStep):
    """A step behind a policy that needs what a step before it saw."""

    @abstractmethod
    def link(self, before: Sequence[object]) -> None:
        """Find that step.

        Args:
            before: steps of the pre-processor.
        """


class AbsoluteActionsProcessorStep(LinkedStep):
    """Adds the state that the relative step saw last.

    Args:
        config: whether to.
        relative: the step in the pre-processor; `link_relative_actions` sets it after loading.
    """

    def __init__(self, config: AbsoluteActionsConfig, *, relative: RelativeActionsProcessorStep | None = None) -> None:
        super().__init__(config)
        self.relative = relative

    def link(self, before: Sequence[object]) -> None:
        """See `LinkedStep.link`."""
        if self.relative is None:
            self.relative = next((step for step in before if isinstance(step, RelativeActionsProcessorStep)), None)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Make the action absolute."""
        action = transition.get(TransitionKey.ACTION)
        if not self.config.enabled or action is None:
            return transition
        if self.relative is None or (state := self.relative.state) is None:
            missing = "no relative_actions_processor" if self.relative is None else "no state"
            raise FeatureMismatchError(
                f"absolute_actions_processor has seen {missing} to add to the action",
                keys=[OBSERVATION_STATE],
                expected="the pre-processor of the same policy, called with an observation first",
            )
        offset = _offset(action, state, self.relative.mask(action.shape[-1]))
        return {**transition, TransitionKey.ACTION: action + offset}


def link_relative_actions(before: Sequence[object], after: Sequence[object]) -> None:
    """Tell steps of a post-processor about the steps of its pre-processor whose states they need.

    Args:
        before: steps of the pre-processor.
        after: steps of the post-processor.
    """
    for step in after:
        if isinstance(step, LinkedStep):
            step.link(before)
