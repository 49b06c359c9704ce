"""`env.type=gym_manipulator` of huggingface/lerobot: a robot with a reward, or gym-hil. Light.

Its files of settings are read as they are; what they say becomes fields of the commands here.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, EnvConfig, NoEffect, RobotConfig, TeleoperatorConfig
from lerobot.core.errors import ConfigError, ConfigProblem, LeRobotError
from lerobot.core.processors.dataset_features import IMAGES

GYM_MANIPULATOR = "gym_manipulator"


class ImagePreprocessing(ConfigModel):
    """What of the pictures is looked at."""

    crop_params_dict: dict[str, tuple[int, int, int, int]] | None = None
    """By key: top, left, height, width."""
    resize_size: tuple[int, int] | None = None
    """Height and width afterwards."""


class RewardClassifier(ConfigModel):
    """Who tells that the task is solved."""

    pretrained_path: str | None = None
    """Folder or repository."""
    success_threshold: float = 0.5
    """Probability from which on it is."""
    success_reward: float = 1.0
    """Only 1."""


class ObservationSection(ConfigModel):
    """What is added to the state."""

    add_joint_velocity_to_observation: bool = False
    """Refused."""
    add_current_to_observation: bool = False
    """Refused."""
    add_ee_pose_to_observation: bool = False
    """Refused."""
    display_cameras: Annotated[bool, NoEffect()] = False
    """No effect."""


class GripperSection(ConfigModel):
    """The gripper."""

    use_gripper: bool = True
    """Whether an action has it as its last number."""
    gripper_penalty: float = 0.0
    """For opening what is open, or closing what is closed."""


class ResetSection(ConfigModel):
    """When episodes begin and end."""

    fixed_reset_joint_positions: Any = None
    """No effect: the arm goes back to where it was at the start."""
    reset_time_s: float = 5.0
    """Seconds between episodes."""
    control_time_s: float = 20.0
    """Longest duration."""
    terminate_on_success: bool = True
    """Only true."""


class ProcessorSection(ConfigModel):
    """What lies between robot and policy."""

    control_mode: Annotated[str, NoEffect()] = "gamepad"
    """No effect: the teleoperator says what it is."""
    observation: ObservationSection | None = None
    """What is added to the state."""
    image_preprocessing: ImagePreprocessing | None = None
    """What of the pictures is looked at."""
    gripper: GripperSection | None = None
    """The gripper."""
    reset: ResetSection | None = None
    """When episodes begin and end."""
    inverse_kinematics: Any = None
    """Refused; see --action_steps."""
    reward_classifier: RewardClassifier | None = None
    """Who tells that the task is solved."""
    max_gripper_pos: Annotated[float | None, NoEffect()] = 100.0
    """No effect."""


class GymManipulatorConfig(EnvConfig):
    """A robot with a reward, or gym-hil, as files of huggingface/lerobot have it: of train-rl, actor and learner."""

    target: ClassVar[str] = "lerobot.rl.gym_manipulator:refuse_to_build"

    type: str = GYM_MANIPULATOR
    robot: RobotConfig | None = Field(default=None, description="The robot, if it is a real one.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="What a person corrects with.")
    name: Literal["real_robot", "gym_hil"] = Field(default="real_robot", description="Which of the two.")
    task: str | None = Field(default="PandaPickCubeKeyboard-v0", description="Task of gym-hil.")
    fps: int = Field(default=10, gt=0, description="Actions per second.")
    processor: ProcessorSection = Field(
        default_factory=ProcessorSection, description="What lies between robot and policy."
    )
    features: Annotated[dict[str, Any], NoEffect()] = Field(
        default_factory=dict, description="No effect: robot and cameras say what there is."
    )
    device: Annotated[str | None, NoEffect()] = Field(default=None, description="No effect; see --policy.device.")
    max_parallel_tasks: Annotated[int, NoEffect()] = Field(default=1, description="No effect.")

    def fields(self) -> dict[str, Any]:
        """What it says, as fields of the commands here.

        Raises:
            ConfigError: it asks for what is not here; says what to write in its place.
        """
        self._require_known()
        reset, pictures = self.processor.reset or ResetSection(), self.processor.image_preprocessing
        found: dict[str, Any] = {"episode_time_s": reset.control_time_s, "reset_time_s": reset.reset_time_s}
        if self.name == "gym_hil":
            gripper = self.processor.gripper or GripperSection()
            env: dict[str, Any] = {"type": "gym_hil", "use_gripper": gripper.use_gripper}
            env |= {} if self.task is None else {"task": self.task}
            env |= {"gripper_penalty": -abs(gripper.gripper_penalty)} if gripper.gripper_penalty else {}
            found |= {"env": env, "realtime": True}
        else:
            found |= {"robot": self.robot, "teleop": self.teleop, "fps": float(self.fps)}
        if pictures is not None and (pictures.crop_params_dict or pictures.resize_size):
            regions = {key.removeprefix(IMAGES): each for key, each in (pictures.crop_params_dict or {}).items()}
            step = {"type": "crop_pictures", "regions": regions, "size": pictures.resize_size}
            found["observation_steps"] = [step]
        classifier = self.processor.reward_classifier
        if classifier is not None and classifier.pretrained_path is not None:
            found["detector"] = {
                "type": "reward_classifier",
                "path": classifier.pretrained_path,
                "success_from": classifier.success_threshold,
            }
        return found

    def _require_known(self) -> None:
        asked = self.processor.observation or ObservationSection()
        wrong = [name for name, value in asked if value and name != "display_cameras"]
        problems = [
            (f"env.processor.observation.{name}", "false: the state is what the robot measures") for name in wrong
        ]
        if self.processor.inverse_kinematics is not None and self.name == "real_robot":
            steps = "--action_steps='[{type: ee_deltas_to_joints, kinematics: {urdf_path: so101}}]' in its place"
            problems.append(("env.processor.inverse_kinematics", steps))
        if self.processor.reset is not None and not self.processor.reset.terminate_on_success:
            problems.append(("env.processor.reset.terminate_on_success", "true: an episode ends when it is solved"))
        if self.name == "real_robot" and self.robot is None:
            problems.append(("env.robot", "a robot, or env.name=gym_hil"))
        if problems:
            raise ConfigError([ConfigProblem(field, "given", expected) for field, expected in problems])


def refuse_to_build(config: GymManipulatorConfig) -> None:
    """Refuse to be an environment for other commands.

    Raises:
        LeRobotError: always.
    """
    place = "--env.type=gym_hil" if config.name == "gym_hil" else f"--robot.type={config.robot and config.robot.type}"
    raise LeRobotError("gym_manipulator is no environment of its own here", expected=f"{place}, which it stands for")
