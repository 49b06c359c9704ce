"""From what a robot measures to what a policy takes, and back to the robot's command."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lerobot.core.processors.dataset_features import build_dataset_frame
from lerobot.core.types import Action
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.processing.pipelines import Pipeline


def prepare_observation_for_inference(
    observation: Mapping[str, Any], device: torch.device, task: str | None = None, robot_type: str | None = None
) -> dict[str, Any]:
    """Make a batch of one of arrays.

    Args:
        observation: by dataset key: images `(H, W, C)` uint8, vectors `(D,)`.
        device: where to put it.
        task: instruction in words.
        robot_type: name of the robot.

    Returns:
        Images `(1, C, H, W)` float32 in [0, 1], vectors `(1, D)`, `task` and `robot_type`.
    """
    batch: dict[str, Any] = {key: to_tensor(value).unsqueeze(0).to(device) for key, value in observation.items()}
    return {**batch, "task": task or "", "robot_type": robot_type or ""}


def build_inference_frame(
    observation: Mapping[str, Any],
    device: torch.device,
    ds_features: Mapping[str, dict[str, Any]],
    task: str | None = None,
    robot_type: str | None = None,
) -> dict[str, Any]:
    """Make a batch of one of a robot's observation.

    Args:
        observation: as `get_observation` gives it.
        device: where to put it.
        ds_features: the dataset's features, which say what goes where.
        task: instruction in words.
        robot_type: name of the robot.
    """
    frame = build_dataset_frame(ds_features, observation, "observation")
    return prepare_observation_for_inference(frame, device, task, robot_type)


def make_robot_action(action_tensor: Tensor, ds_features: Mapping[str, dict[str, Any]]) -> Action:
    """Give a policy's action the robot's names.

    Args:
        action_tensor: `(Da,)` or `(1, Da)`.
        ds_features: the dataset's features, which say the names.
    """
    names = ds_features["action"]["names"]
    return dict(zip(names, action_tensor.float().flatten().tolist(), strict=True))


def predict_action(
    observation: Mapping[str, Any],
    policy: Any,
    device: torch.device,
    preprocessor: Pipeline,
    postprocessor: Pipeline,
    use_amp: bool,
    task: str | None = None,
    robot_type: str | None = None,
) -> Tensor:
    """Ask a policy for one action.

    Args:
        observation: by dataset key, see `prepare_observation_for_inference`.
        policy: the policy.
        device: where it is.
        preprocessor: stands before it.
        postprocessor: stands behind it.
        use_amp: compute in mixed precision.
        task: instruction in words.
        robot_type: name of the robot.

    Returns:
        `(1, Da)`, in the robot's units.
    """
    with torch.inference_mode(), torch.autocast(device.type, enabled=use_amp):
        batch = preprocessor(prepare_observation_for_inference(observation, device, task, robot_type))
        action: Tensor = postprocessor(policy.select_action(batch))
    return action


def get_device_from_parameters(module: nn.Module) -> torch.device:
    """Where a network is."""
    return next(iter(module.parameters())).device


def get_dtype_from_parameters(module: nn.Module) -> torch.dtype:
    """The type of a network's weights."""
    return next(iter(module.parameters())).dtype
