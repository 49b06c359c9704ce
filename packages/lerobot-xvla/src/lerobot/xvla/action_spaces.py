"""What the numbers of an action mean: which the network is shown, how they are learned, what becomes of them.

A package of yours adds a space: an entry point in the group `lerobot_xvla.action_spaces` names a function that takes
the policy's configuration and gives an `ActionSpace`; `--policy.action_mode=NAME` chooses it. Light: it imports no
array library.

Source: names, weights and channels are those of huggingface/lerobot 0.6.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lerobot.core.errors import LeRobotError
from lerobot.policies.vla.config import VLAConfig

if TYPE_CHECKING:
    from torch import Tensor

ENTRY_POINTS = "lerobot_xvla.action_spaces"


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the loss.

    Attributes:
        name: `"joints"` is logged as `joints_loss`.
        groups: channels; the errors of groups are means, and added.
        scale: factor.
        kind: squared error, or cross entropy of a logit and a probability.
    """

    name: str
    groups: Sequence[Sequence[int]]
    scale: float = 1.0
    kind: Literal["squared", "cross_entropy"] = "squared"

    def __call__(self, found: "Tensor", action: "Tensor") -> "Tensor":
        """Give the scalar loss of actions `(B, T, width)`."""
        from torch.nn import functional

        error = functional.mse_loss if self.kind == "squared" else functional.binary_cross_entropy_with_logits
        parts = [error(found[..., list(group)], action[..., list(group)]) for group in self.groups]
        return sum(parts[1:], parts[0]) * self.scale


@dataclass(frozen=True, slots=True)
class ActionSpace:
    """Meaning of an action.

    Attributes:
        width: numbers that the network takes and gives.
        own: first of them that are the robot's; the rest is 0.
        terms: of the loss.
        grippers: channels that the network is not shown, and whose output is a logit.
    """

    width: int
    own: int
    terms: Sequence[Term]
    grippers: Sequence[int] = ()

    def losses(self, found: "Tensor", action: "Tensor") -> "dict[str, Tensor]":
        """Give the parts of the loss of actions `(B, T, width)`, by the name they are logged by."""
        return {f"{term.name}_loss": term(found, action) for term in self.terms}

    def shown(self, values: "Tensor") -> "Tensor":
        """Give a state or actions `(..., D)` as the network is shown them: with open grippers."""
        hidden = [channel for channel in self.grippers if channel < values.shape[-1]]
        if not hidden:
            return values
        values = values.clone()
        values[..., hidden] = 0.0
        return values

    def finished(self, actions: "Tensor") -> "Tensor":
        """Give the robot's actions `(B, T, own)` of what the network gives, `(B, T, width)`."""
        if self.grippers:
            actions = actions.clone()
            actions[..., list(self.grippers)] = actions[..., list(self.grippers)].sigmoid()
        return actions[..., : self.own]


Chooser = Callable[[VLAConfig], ActionSpace]
"""Gives a space for the features of a policy."""


def action_space(mode: str, config: VLAConfig) -> ActionSpace:
    """Give the space of a name, for the features of a policy.

    Raises:
        LeRobotError: nobody provides it.
    """
    from importlib.metadata import entry_points

    name = mode.lower()
    points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in points:
        near = difflib.get_close_matches(name, points, n=1)
        raise LeRobotError(
            f"action_mode {mode!r} is not known",
            expected=", ".join(sorted(points)),
            hint=f"Did you mean {near[0]}?" if near else "",
        )
    choose: Chooser = points[name].load()
    return choose(config)


# --- spaces ----------------------------------------------------------------------------------------------------------

_PLACES = ((0, 1, 2), (10, 11, 12))
_TURNS = (tuple(range(3, 9)), tuple(range(13, 19)))
_HANDS = Term("position", _PLACES, 500.0), Term("rotate6D", _TURNS, 10.0)


def ee6d(_config: VLAConfig) -> ActionSpace:
    """Two hands: place in m, turn as the first two columns of its matrix, and gripper, 1 closed."""
    grippers = (9, 19)
    return ActionSpace(20, 20, (*_HANDS, Term("gripper", [grippers], kind="cross_entropy")), grippers)


def agibot_ee6d(_config: VLAConfig) -> ActionSpace:
    """The same, with grippers that are learned as they are."""
    return ActionSpace(20, 20, (*_HANDS, Term("gripper", [(9, 19)], 10.0)))


def joint(_config: VLAConfig) -> ActionSpace:
    """Two arms of six joints, each with a gripper."""
    grippers = (6, 13)
    joints = [channel for channel in range(14) if channel not in grippers]
    terms = Term("joints", [joints]), Term("gripper", [grippers], 0.1, "cross_entropy")
    return ActionSpace(14, 14, terms, grippers)


def franka_joint7(_config: VLAConfig) -> ActionSpace:
    """The seven joints of a Panda."""
    return ActionSpace(20, 7, [Term("joints", [range(7)])])


def so101_bimanual(_config: VLAConfig) -> ActionSpace:
    """Two SO-101 arms, left before right: five joints and a gripper each.

    Grippers are learned as they are, and squeezed to (0, 1) nonetheless: that is how published weights act.
    """
    grippers = (5, 11)
    terms = (
        Term("joints", [range(12)]),
        Term("gripper", [grippers]),
        Term("left_arm", [range(6)]),
        Term("right_arm", [range(6, 12)]),
    )
    return ActionSpace(20, 12, terms, grippers)


def auto(config: VLAConfig) -> ActionSpace:
    """Whatever the dataset's actions are, all learned alike."""
    feature = config.action_feature
    own = config.max_action_dim if feature is None else feature.shape[0]
    return ActionSpace(config.max_action_dim, own, [Term("joints", [range(own)])])
