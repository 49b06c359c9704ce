"""Joints of an ALOHA, as its own software counts them and as the pi models do.

Six joints and a gripper per arm, left before right. Four joints turn the other way. The gripper is a way there and an
angle here.

Source: constants of the ALOHA and Interbotix software; values as in huggingface/lerobot 0.6.
"""

import torch
from torch import Tensor

TURNED = [1, 2, 8, 9]
GRIPPERS = [6, 13]
_WAY_CLOSED, _WAY_OPEN = 0.01844, 0.05800  # metres
_ANGLE_CLOSED, _ANGLE_OPEN = 0.4, 1.5  # radians, measured on a robot
_JOINT_CLOSED, _JOINT_OPEN = -0.6213, 1.4910  # radians, of the leader's gripper
_ARM, _HORN = 0.036, 0.022  # metres


def decoded_state(state: Tensor) -> Tensor:
    """Turn a state `(..., 14)` of an ALOHA into that of the pi models; a new tensor."""
    state = _flipped(state)
    way = state[..., GRIPPERS] * (_WAY_OPEN - _WAY_CLOSED) + _WAY_CLOSED
    ratio = (_HORN**2 + way**2 - _ARM**2) / (2 * _HORN * way)
    angle = torch.asin(ratio.clamp(-1.0, 1.0))
    state[..., GRIPPERS] = (angle - _ANGLE_CLOSED) / (_ANGLE_OPEN - _ANGLE_CLOSED)
    return state


def encoded_actions(actions: Tensor) -> Tensor:
    """Turn actions `(..., 14)` of the pi models into those of an ALOHA; a new tensor."""
    actions = _flipped(actions)
    angle = actions[..., GRIPPERS] * (_ANGLE_OPEN - _ANGLE_CLOSED) + _ANGLE_CLOSED
    actions[..., GRIPPERS] = (angle - _JOINT_CLOSED) / (_JOINT_OPEN - _JOINT_CLOSED)
    return actions


def decoded_actions(actions: Tensor) -> Tensor:
    """Turn actions `(..., 14)` of an ALOHA into those of the pi models, the inverse of `encoded_actions`."""
    actions = _flipped(actions)
    angle = actions[..., GRIPPERS] * (_JOINT_OPEN - _JOINT_CLOSED) + _JOINT_CLOSED
    actions[..., GRIPPERS] = (angle - _ANGLE_CLOSED) / (_ANGLE_OPEN - _ANGLE_CLOSED)
    return actions


def _flipped(values: Tensor) -> Tensor:
    signs = torch.ones(values.shape[-1], dtype=values.dtype, device=values.device)
    signs[TURNED] = -1.0
    return values * signs
