"""What a robot, camera, teleoperator, policy, environment and processor step is: the contracts plugins fulfil.

The docstrings here are the contract; implementations document only what is special about them.
"""

from lerobot.core.protocols.acting import ActingPolicy, Place, PlannedActions
from lerobot.core.protocols.camera import Camera, DepthCamera
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest, ChunkSource
from lerobot.core.protocols.device import Calibratable, Device
from lerobot.core.protocols.env import Env
from lerobot.core.protocols.policy import Policy
from lerobot.core.protocols.pose_limits import PoseLimits
from lerobot.core.protocols.processor import Invertible, ProcessorStep
from lerobot.core.protocols.reward import RewardModel
from lerobot.core.protocols.robot import HasFixedRate, HasReward, HasSceneValues, HasTask, Robot, StepResult
from lerobot.core.protocols.success import KnowsSuccess, SuccessDetector
from lerobot.core.protocols.teleoperator import HasTeleopEvents, Teleoperator

__all__ = [
    "ActingPolicy",
    "ActionChunk",
    "Calibratable",
    "Camera",
    "ChunkRequest",
    "ChunkSource",
    "DepthCamera",
    "Device",
    "Env",
    "HasFixedRate",
    "HasReward",
    "HasSceneValues",
    "HasTask",
    "HasTeleopEvents",
    "Invertible",
    "KnowsSuccess",
    "Place",
    "PlannedActions",
    "Policy",
    "PoseLimits",
    "ProcessorStep",
    "RewardModel",
    "Robot",
    "StepResult",
    "SuccessDetector",
    "Teleoperator",
]
