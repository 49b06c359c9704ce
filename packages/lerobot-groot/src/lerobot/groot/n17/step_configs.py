"""Configurations of the processor steps of GR00T N1.7: their fields are the keys of the saved JSON.

Light: it imports no array library.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import PathText, ProcessorStepConfig
from lerobot.groot.n17.sizes import COSMOS

EMBODIMENTS = {
    "oxe_droid_relative_eef_relative_joint": 24,
    "xdof_relative_eef_relative_joint": 27,
    "xdof_relative_eef_relative_joint_subtask": 27,
    "real_g1_relative_eef_relative_joints": 25,
    "real_r1_pro_sharpa_relative_eef": 26,
    "real_r1_pro_sharpa_relative_eef_human": 26,
    "real_r1_pro_sharpa_relative_eef_maxinsights": 26,
    "real_r1_pro_sharpa_relative_eef_mecka": 26,
    "unitree_g1_full_body_with_waist_height_nav_cmd": 25,
    "simpler_env_google": 0,
    "simpler_env_widowx": 1,
    "libero_sim": 2,
    "new_embodiment": 10,
}
"""Numbers of the kinds of robots that published weights know."""

LONGEST_CHUNK = 40
"""Actions that published weights predict at once."""

TARGET_SIZE, CROP_SIZE = (256, 256), (230, 230)
"""Height and width of images that published weights were trained with, and of what is cut out of them before."""

Transform = Literal["libero"]
"""What is done with actions behind all: "libero" brings the gripper to the signs of that simulator."""

RawStatistics = dict[str, dict[str, dict[str, Any]]]
"""Statistics by modality (state, action, relative_action), part and name."""


class PackConfig(ProcessorStepConfig):
    """Brings cameras, task, state and actions of any robot into one form."""

    target: ClassVar[str] = "lerobot.groot.n17.packing:PackStep"

    type: str = "groot_n1_7_pack_inputs_v1"
    state_horizon: int = Field(default=1, ge=1, le=1, description="States that are shown.")
    action_horizon: int = Field(default=LONGEST_CHUNK, gt=0, description="Actions that chunks are filled up to.")
    valid_action_horizon: int = Field(default=LONGEST_CHUNK, gt=0, description="Those of them that are learned.")
    video_horizon: int | None = Field(default=None, description="Images of each camera; null: those that come.")
    max_state_dim: int = Field(default=132, gt=0, description="Width that states are filled up to.")
    max_action_dim: int = Field(default=132, gt=0, description="Width that actions are filled up to.")
    language_key: str = Field(default="task", description="Key of the task in the complementary data.")
    formalize_language: bool = Field(default=True, description="Lower case, letters, digits, spaces and _ alone.")
    embodiment_tag: str = Field(default="new_embodiment", description="Kind of robot.")
    embodiment_mapping: dict[str, int] = Field(default=EMBODIMENTS, description="Numbers of the kinds.")
    normalize_min_max: bool = Field(default=True, description="Scale to [-1, 1] by extremes.")
    state_dropout_prob: float = Field(default=0.0, ge=0, le=1, description="Share of states that learning leaves out.")
    clip_outliers: bool = Field(default=True, description="Bring what is outside of [-1, 1] to its ends.")
    use_percentiles: bool = Field(default=False, description="Extremes of raw_stats are its q01 and q99.")
    video_modality_keys: list[str] | None = Field(
        default=None, description="Cameras in this order; null: all, by their names."
    )
    raw_stats: RawStatistics | None = Field(default=None, description="Statistics of parts of states and actions.")
    modality_config: dict[str, Any] | None = Field(default=None, description="What these parts are.")


class EncodeConfig(ProcessorStepConfig):
    """Makes tokens of the task, said with the images, and patches of these."""

    target: ClassVar[str] = "lerobot.groot.n17.conversation:EncodeStep"

    type: str = "groot_n1_7_vlm_encode_v1"
    model_name: PathText = Field(default=COSMOS, description="Hub repository or folder with the tokenizer of Qwen3-VL.")
    image_crop_size: tuple[int, int] | None = Field(
        default=None, description="With image_target_size: the share of height and width that is cut out."
    )
    image_target_size: tuple[int, int] | None = Field(default=None, description="Height and width; null: as they come.")
    shortest_image_edge: int | None = Field(default=None, gt=0, description="What is cut out of; null: the target.")
    crop_fraction: float | None = Field(default=None, description="That share, if given.")
    use_albumentations: bool = Field(default=False, description="Keep shapes, average areas; learning cuts anywhere.")
    letter_box_transform: bool = Field(default=False, description="Fill images up to squares first, in black.")
    device: str | None = Field(default=None, description="Accepted; images are made on the CPU.")


class DecodeConfig(ProcessorStepConfig):
    """Brings predicted actions back into the robot's units, part by part."""

    target: ClassVar[str] = "lerobot.groot.n17.decoding:DecodeStep"

    type: str = "groot_n1_7_action_decode_v1"
    env_action_dim: int = Field(default=0, ge=0, description="Numbers of an action; 0: all there are.")
    raw_stats: RawStatistics | None = Field(default=None, description="Statistics of parts of states and actions.")
    modality_config: dict[str, Any] | None = Field(default=None, description="What these parts are.")
    use_percentiles: bool = Field(default=False, description="Extremes are q01 and q99.")
    use_relative_action: bool = Field(default=False, description="Parts may be relative to the state.")
    action_decode_transform: Transform | None = Field(default=None, description="What is done behind all.")


class UnpackConfig(ProcessorStepConfig):
    """Brings predicted actions back into the robot's units by the extremes of a dataset."""

    target: ClassVar[str] = "lerobot.groot.n17.decoding:UnpackStep"

    type: str = "groot_action_unpack_unnormalize_v2"
    env_action_dim: int = Field(default=0, ge=0, description="Numbers of an action; 0: all there are.")
    normalize_min_max: bool = Field(default=True, description="They were scaled to [-1, 1].")
    clip_normalized_action: bool = Field(default=False, description="Bring what is outside of that to its ends.")
    libero_gripper_action: bool = Field(default=False, description="Gripper, the last number, as LIBERO has it.")
    libero_gripper_binarize: bool = Field(default=True, description="Then it is only opened or closed.")
