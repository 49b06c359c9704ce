"""What a user may set about safety: part of every command that moves a robot."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import ConfigModel, PluginConfig

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PerJoint = Positive | dict[str, Positive]
PerMotor = Positive | dict[str, Positive]


Finite = Annotated[float, Field(allow_inf_nan=False)]
Interval = tuple[Finite, Finite]


class ArmModelConfig(PluginConfig):
    """Choice of a model of the arm: where its links are, by its joints. It makes workspace and collisions known.

    `target` is built with the configuration, the robot's `features` and the `workspace`, and is a
    `lerobot.core.protocols.PoseLimits`. It raises a `ConfigError` for a robot that it does not fit.
    """

    kind: ClassVar[str] = "arm_model"


class Box(ConfigModel):
    """A box in the frame of the arm's base, metres; an axis that is not given has no bounds."""

    x: Interval | None = Field(default=None, description="Least and greatest x.")
    y: Interval | None = Field(default=None, description="Least and greatest y.")
    z: Interval | None = Field(default=None, description="Least and greatest z.")

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        for axis, interval in (("x", self.x), ("y", self.y), ("z", self.z)):
            if interval is not None and not interval[0] < interval[1]:
                raise ValueError(f"{axis}: [low, high] with low < high")
        return self


class Plane(ConfigModel):
    """A wall: the arm stays on the side to which the normal points."""

    normal: tuple[Finite, Finite, Finite] = Field(description="Direction away from the wall, in the base's frame.")
    offset: Finite = Field(default=0.0, description="Distance of the wall from the base along the normal, metres.")

    @model_validator(mode="after")
    def _has_a_direction(self) -> Self:
        if not any(self.normal):
            raise ValueError("normal: a direction, such as [0, 0, 1]")
        return self


class Workspace(ConfigModel):
    """Where the arm may be, in the frame of its base; needs a model of the arm (`--safety.model.type`)."""

    box: Box | None = Field(default=None, description="Box that the end effector stays in, metres: {x: [-0.2, 0.2]}.")
    whole_arm: bool = Field(default=False, description="The box holds for every moving link, not for the end alone.")
    planes: list[Plane] = Field(
        default_factory=list, description="Walls that no moving link passes: [{normal: [1, 0, 0], offset: 0.1}]."
    )
    table_z: Finite | None = Field(
        default=None, description="Height of the table that no moving link touches, metres; usually 0."
    )
    self_collision: bool = Field(default=True, description="No link touches another one.")
    margin_m: float = Field(default=0.01, ge=0, description="Distance kept from walls, table and other links, metres.")

    @property
    def is_bounded(self) -> bool:
        """Whether there is more to keep to than the arm itself."""
        return self.box is not None or bool(self.planes) or self.table_z is not None


class SafetyConfig(ConfigModel):
    """Limits of the safety gate, tighter than what the robot declares.

    A joint is named by its key (`shoulder_pan.pos`) or without its ending (`shoulder_pan`). A plain number holds for
    every position, each in its own unit; commands that are velocities are set by name only, because one number cannot
    fit metres and degrees.
    """

    enabled: bool = Field(
        default=True, description="Off only for experts: then no limit, no ramp and no freshness check is applied."
    )
    max_velocity: PerJoint | None = Field(
        default=None, description="Fastest motion in the joint's unit per second: a number, or one per joint."
    )
    max_step: PerJoint | None = Field(
        default=None, description="Largest change between two commands in the joint's unit: a number, or one per joint."
    )
    max_acceleration: dict[str, Positive] = Field(
        default_factory=dict, description="Fastest change of commands that are velocities, in their unit per second."
    )
    position_limits: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="Allowed range per joint, inside the range the robot declares."
    )
    ramp_s: float = Field(
        default=2.0, ge=0, description="Seconds over which the robot goes from where it is to what is commanded."
    )
    max_command_age_s: float = Field(
        default=0.5, gt=0, description="An older command is not followed: the robot holds."
    )
    max_state_age_s: float = Field(default=0.5, gt=0, description="On an older measurement the robot holds.")
    stop_after_s: float = Field(
        default=2.0,
        gt=0,
        description="The run ends when a joint got no usable command, or a camera no new picture, for so many seconds.",
    )
    max_temperature_c: PerMotor | None = Field(
        default=None, description="Hottest a motor may get, degrees Celsius: a number, or one per motor."
    )
    max_current_ma: PerMotor | None = Field(
        default=None, description="Most current a motor may draw, mA: a number, or one per motor."
    )
    max_load_percent: PerMotor | None = Field(
        default=None, description="Most torque a motor may give, of what it can, %: a number, or one per motor."
    )
    health_patience_s: float = Field(
        default=10.0,
        gt=0,
        description="The robot holds while a motor is over such a limit; after so many seconds the run ends.",
    )
    model: ArmModelConfig | None = Field(
        default=None, description="Model of the arm, which makes its workspace and collisions known."
    )
    workspace: Workspace = Field(default_factory=Workspace, description="Where the arm may be, as a whole.")

    @model_validator(mode="after")
    def _a_workspace_needs_a_model(self) -> Self:
        if self.workspace.is_bounded and self.model is None:
            raise ValueError(
                "model: which arm it is, such as --safety.model.type=links; the workspace is where it may be"
            )
        return self
