"""Configuration of `lerobot serve`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CameraConfig, CommandConfig, EnvConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.config.policies import ServedPolicyConfig
from lerobot.core.safety.config import SafetyConfig
from lerobot.remote.wire.config import ListenOptions

SERVED = ("robot", "camera", "teleop", "policy", "env")


class ServeConfig(ListenOptions, CommandConfig):
    """Serve a robot, camera, teleoperator, policy or environment to others.

    Whoever uses it says `--robot.type=remote --robot.address=HOST:PORT`, and so on. Ctrl-C ends it; a robot is then in
    its safe state, as it is whenever its client is gone, late or talks nonsense.
    """

    target: ClassVar[str] = "lerobot.remote.command:serve"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot serve --robot.type=so101_follower --robot.port=/dev/ttyACM0 --host=0.0.0.0 --token_file=token.txt",
        "lerobot serve --policy.path=outputs/train/act/checkpoints/last",
        "lerobot serve --env.type=pusht",
    )

    robot: RobotConfig | None = Field(default=None, description="Robot to serve; one client at a time drives it.")
    camera: CameraConfig | None = Field(default=None, description="Camera to serve.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="Teleoperator to serve.")
    policy: ServedPolicyConfig | None = Field(
        default=None, description="Policy to serve: --policy.path=FOLDER; clients of openpi can ask it too."
    )
    env: EnvConfig | None = Field(default=None, description="Environment to serve; each client gets its own.")
    fps: float = Field(
        default=30.0, gt=0, description="Observations of a robot, or readings of a teleoperator, per second, Hz."
    )
    image_format: Literal["jpeg", "png", "raw"] = Field(
        default="jpeg", description="How pictures are sent: jpeg is small; png and raw are exact. Depth is never jpeg."
    )
    image_quality: int = Field(default=90, ge=1, le=95, description="Quality of JPEG.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the robot's safety gate.")

    @model_validator(mode="after")
    def _one_is_served(self) -> Self:
        given = [name for name in SERVED if getattr(self, name) is not None]
        if len(given) != 1:
            one_of = ", ".join(f"--{name}.type" for name in SERVED)
            raise PydanticCustomError("serve_one", "exactly one of {one_of}", {"one_of": one_of})
        return self
