"""Configurations of the processor steps of GR00T N1.5: their fields are the keys of the saved JSON.

Light: it imports no array library.
"""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PathText, ProcessorStepConfig
from lerobot.groot.sizes import EAGLE_ASSETS

EMBODIMENTS = {
    "new_embodiment": 31,
    "oxe_droid": 17,
    "agibot_genie1": 26,
    "gr1": 24,
    "so100": 2,
    "unitree_g1": 3,
}
"""Numbers of the kinds of robots that published weights know."""

TASK_MISSING = "Perform the task."
"""What is read where no task is told."""


class PackConfig(ProcessorStepConfig):
    """Brings cameras, task, state and actions of any robot into one form."""

    target: ClassVar[str] = "lerobot.groot.packing:PackStep"

    type: str = "groot_pack_inputs_v3"
    state_horizon: int = Field(default=1, ge=1, le=1, description="States that are shown.")
    action_horizon: int = Field(default=16, gt=0, description="Actions of a chunk.")
    max_state_dim: int = Field(default=64, gt=0, description="Width that states are filled up to.")
    max_action_dim: int = Field(default=32, gt=0, description="Width that actions are filled up to.")
    language_key: str = Field(default="task", description="Key of the task in the complementary data.")
    formalize_language: bool = Field(default=False, description="Lower case, letters, digits and spaces alone.")
    embodiment_tag: str = Field(default="new_embodiment", description="Kind of robot.")
    embodiment_mapping: dict[str, int] = Field(default=EMBODIMENTS, description="Numbers of the kinds.")
    normalize_min_max: bool = Field(default=True, description="Scale to [-1, 1] by the dataset's extremes.")


class EncodeConfig(ProcessorStepConfig):
    """Writes the task into the conversation that Eagle was taught with."""

    target: ClassVar[str] = "lerobot.groot.eagle_inputs:EncodeStep"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"tokenizer_assets_repo"})

    type: str = "groot_eagle_encode_v3"
    tokenizer_assets_repo: PathText = Field(
        default=EAGLE_ASSETS, description="Hub repository or folder with the conversation's template."
    )


class CollateConfig(ProcessorStepConfig):
    """Makes tokens of the conversation, and pixels of the cameras' images."""

    target: ClassVar[str] = "lerobot.groot.eagle_inputs:CollateStep"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"tokenizer_assets_repo"})

    type: str = "groot_eagle_collate_v3"
    tokenizer_assets_repo: PathText = Field(
        default=EAGLE_ASSETS, description="Hub repository or folder with the tokenizer and what images become."
    )


class UnpackConfig(ProcessorStepConfig):
    """Brings predicted actions back into the robot's units."""

    target: ClassVar[str] = "lerobot.groot.packing:UnpackStep"

    type: str = "groot_action_unpack_unnormalize_v1"
    env_action_dim: int = Field(default=0, ge=0, description="Numbers of an action; 0: all there are.")
    normalize_min_max: bool = Field(default=True, description="They were scaled to [-1, 1].")
