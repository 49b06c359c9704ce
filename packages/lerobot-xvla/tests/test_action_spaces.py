"""What the numbers of an action mean, by formulas written out here."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_xvla import tiny_settings
from torch import Tensor
from torch.nn import functional as F

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.policies.vla.config import VLAConfig
from lerobot.xvla.action_spaces import ActionSpace, Term
from lerobot.xvla.config import XVLAConfig
from lerobot.xvla.policy import XVLAPolicy


def space(name: str, width: int = 20, **changes: Any) -> ActionSpace:
    outputs = {"action": {"type": "ACTION", "shape": (width,)}}
    return XVLAConfig(action_mode=name, output_features=outputs, **changes).action_space


def squared(found: Tensor, action: Tensor, first: int, last: int) -> Tensor:
    return (found[..., first:last] - action[..., first:last]).pow(2).mean()


def cross_entropy(found: Tensor, action: Tensor, channel: int) -> Tensor:
    probability = found[..., channel].sigmoid()
    return F.binary_cross_entropy(probability, action[..., channel])


def draw(width: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 3, width), torch.rand(2, 3, width)


def test_two_hands() -> None:
    found, action = draw(20)
    places = 500 * (squared(found, action, 0, 3) + squared(found, action, 10, 13))
    turns = 10 * (squared(found, action, 3, 9) + squared(found, action, 13, 19))
    losses = space("ee6d").losses(found, action)
    assert list(losses) == ["position_loss", "rotate6D_loss", "gripper_loss"]
    assert torch.allclose(losses["position_loss"], places)
    assert torch.allclose(losses["rotate6D_loss"], turns)
    grippers = (cross_entropy(found, action, 9) + cross_entropy(found, action, 19)) / 2
    assert torch.allclose(losses["gripper_loss"], grippers)
    agibot = space("AGIBOT_ee6d").losses(found, action)
    grippers = 10 * (squared(found, action, 9, 10) + squared(found, action, 19, 20)) / 2
    assert torch.allclose(agibot["gripper_loss"], grippers)
    assert torch.equal(agibot["position_loss"], losses["position_loss"])


def test_two_arms_of_six_joints() -> None:
    found, action = draw(14)
    joints = (squared(found, action, 0, 6) + squared(found, action, 7, 13)) / 2
    grippers = 0.1 * (cross_entropy(found, action, 6) + cross_entropy(found, action, 13)) / 2
    losses = space("joint", 14).losses(found, action)
    assert torch.allclose(losses["joints_loss"], joints)
    assert torch.allclose(losses["gripper_loss"], grippers)


def test_two_so101_arms() -> None:
    found, action = draw(20)
    losses = space("so101_bimanual", 12).losses(found, action)
    assert torch.allclose(losses["joints_loss"], squared(found, action, 0, 12))
    assert torch.allclose(losses["left_arm_loss"], squared(found, action, 0, 6))
    assert torch.allclose(losses["right_arm_loss"], squared(found, action, 6, 12))
    grippers = (squared(found, action, 5, 6) + squared(found, action, 11, 12)) / 2
    assert torch.allclose(losses["gripper_loss"], grippers)


@pytest.mark.parametrize(("name", "width", "own"), [("franka_joint7", 20, 7), ("auto", 11, 5)])
def test_joints_that_are_learned_alike(name: str, width: int, own: int) -> None:
    found, action = draw(width)
    chosen = space(name, own, max_action_dim=11)
    assert chosen.width == width
    assert torch.allclose(chosen.losses(found, action)["joints_loss"], squared(found, action, 0, own))
    assert torch.equal(chosen.finished(found), found[..., :own])
    assert chosen.shown(found) is found


@pytest.mark.parametrize(("name", "grippers"), [("ee6d", [9, 19]), ("joint", [6, 13]), ("so101_bimanual", [5, 11])])
def test_grippers_that_are_not_shown_come_out_between_0_and_1(name: str, grippers: list[int]) -> None:
    chosen = space(name, 12)
    found, before = (torch.randn(2, 3, chosen.width),) * 2
    before = before.clone()
    shown, finished = chosen.shown(found), chosen.finished(found)
    assert torch.equal(found, before)
    rest = [channel for channel in range(chosen.own) if channel not in grippers]
    assert torch.equal(shown[..., rest], found[..., rest])
    assert not shown[..., grippers].any()
    assert torch.equal(finished[..., rest], found[..., rest])
    assert torch.equal(finished[..., grippers], found[..., grippers].sigmoid())
    # A state may have none.
    assert torch.equal(chosen.shown(torch.ones(2, 3)), torch.ones(2, 3))


def test_a_package_of_yours_adds_a_space(tokenizer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"lerobot_xvla.action_spaces": [SimpleNamespace(name="hand", load=lambda: hand)]}
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points[group])
    policy = XVLAPolicy(XVLAConfig(**tiny_settings(tokenizer, action_mode="hand")))
    assert policy.model.space.width == 6
    assert policy.model.transformer.action_decoder.bias.weight.shape == (3, 6)


def hand(config: VLAConfig) -> ActionSpace:
    assert config.action_feature is not None
    return ActionSpace(6, config.action_feature.shape[0], [Term("fingers", [range(4)])])


def test_what_is_no_space_is_refused(tokenizer: Path) -> None:
    with pytest.raises(LeRobotError, match="'ee6' is not known") as raised:
        XVLAPolicy(XVLAConfig(**tiny_settings(tokenizer, action_mode="ee6")))
    assert "so101_bimanual" in str(raised.value.expected)
    assert raised.value.hint == "Did you mean ee6d?"
    eight = {"action": {"type": "ACTION", "shape": (8,)}}
    with pytest.raises(FeatureMismatchError, match="action has 8 numbers, and action_mode=franka_joint7 has 7"):
        XVLAPolicy(XVLAConfig(**tiny_settings(tokenizer, action_mode="franka_joint7", output_features=eight)))
    with pytest.raises(FeatureMismatchError, match=r"takes 6\n.*max_action_dim=8"):
        XVLAPolicy(XVLAConfig(**tiny_settings(tokenizer, max_action_dim=6, output_features=eight)))
