"""Configurations of a phone as a teleoperator, and of the step that makes commands of what it says."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ProcessorStepConfig, TeleoperatorConfig, Unit

PORT = 4443


class PhoneConfig(TeleoperatorConfig):
    """A phone that moves an end effector as it is moved itself."""

    target = "lerobot.phone.teleoperator:Phone"

    type: str = "phone"
    phone_os: Literal["ios", "android"] = Field(
        default="ios",
        description="ios is the app HEBI Mobile I/O; android is a page in any browser with WebXR.",
    )
    host: str = Field(
        default="127.0.0.1", description="android: address to serve the page at; 0.0.0.0 is the whole network."
    )
    port: int = Field(default=PORT, ge=0, le=65535, description="android: port of the page; 0: any that is free.")
    token_file: Path | None = Field(
        default=None, description="android: file with the token in the page's address; without it, a new one each time."
    )
    tls_cert: Path | None = Field(
        default=None, description="android: certificate (PEM) of the page; without it, an own one is made and kept."
    )
    tls_key: Path | None = Field(default=None, description="android: private key of the certificate (PEM).")
    max_age_s: Annotated[float, Unit("s")] = Field(
        default=0.3, gt=0, description="On an older pose the arm holds, until the person takes hold anew."
    )
    camera_offset: Annotated[tuple[float, float, float], Unit("m")] = Field(
        default=(0.0, -0.02, 0.04), description="From the middle of the phone to its camera, in the phone's frame."
    )

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise PydanticCustomError("phone_tls", "tls_cert and tls_key together")
        return self


class MapPhoneActionConfig(ProcessorStepConfig):
    """Makes a displacement of an end effector of a phone's pose."""

    target: ClassVar[str] = "lerobot.phone.processor:MapPhoneActionToRobotAction"

    saved_if_set: ClassVar[frozenset[str]] = frozenset({"heading_deg"})

    type: str = "map_phone_action_to_robot_action"
    platform: Literal["ios", "android"] = Field(
        description="Whose inputs move the gripper: a3 (ios), or reservedButtonA and reservedButtonB (android)."
    )
    heading_deg: float = Field(
        default=0.0,
        description="Turn of target_x and target_y about the vertical, degrees to the left. -90 makes forward of an "
        "android phone the x of the robot's base, as an SO-101 needs it.",
    )
