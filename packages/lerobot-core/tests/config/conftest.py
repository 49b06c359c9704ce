"""A command with everything a command can have, and two devices, registered for one test."""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from lerobot.core.config import (
    CameraConfig,
    CommandConfig,
    ConfigModel,
    Loaded,
    PolicyConfig,
    Positional,
    RobotConfig,
    Unit,
    load,
)
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry


class Color(Enum):
    RGB = "rgb"
    BGR = "bgr"


class Cam(CameraConfig):
    target: ClassVar[str] = "camera_driver:Cam"
    index_or_path: int | Path
    rotation: Literal[0, 90, 180, -90] = 0
    color_mode: Color = Color.RGB
    serial: str = ""


class Arm(RobotConfig):
    """An arm."""

    target: ClassVar[str] = "arm_driver:Arm"
    port: str
    cameras: dict[str, CameraConfig] = Field(default={})
    max_relative_target: float | dict[str, float] | None = None
    use_degrees: bool = False


class Rover(RobotConfig):
    target: ClassVar[str] = "rover_driver:Rover"
    address: str = "localhost"


class PolicyChoice(PolicyConfig):
    from_path: ClassVar[str] = "saved_policies:read"


class Act(PolicyChoice):
    target: ClassVar[str] = "act_policy:Act"
    chunk_size: int = 100
    kernel: list[int] = Field(default=[3, 3])
    revision: str = ""


class Encoder(ConfigModel):
    crf: int | float | None = 30
    preset: int | str | None = None
    extra_options: dict[str, Any] = Field(default={})


class Dataset(ConfigModel):
    repo_id: str
    root: str | Path | None = None
    tags: list[str] | None = None
    encoder: Encoder = Encoder(crf=12)


class Split(ConfigModel):
    type: Literal["split"] = "split"
    parts: int


class Merge(ConfigModel):
    type: Literal["merge"] = "merge"
    sources: list[str]


class EverythingConfig(CommandConfig):
    """Do everything."""

    target: ClassVar[str] = "everything:run"

    robot: RobotConfig
    word: Annotated[str | None, Positional()] = None
    policy: PolicyChoice | None = None
    dataset: Dataset | None = None
    operation: Split | Merge | None = None
    fps: Annotated[float, Unit("Hz")] = Field(default=60, gt=0)
    steps: int = Field(default=3, ge=0)
    lr: float = 1e-3
    task: str = ""
    autoplay: bool = True
    rename_map: dict[str, str] = Field(default={})
    episodes: list[int] | None = None


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Core's plugins and the classes above; what else is installed here does not change an answer."""
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-core")
    registry.refresh()
    with registry.temporary():
        registry.register("robot", "arm", Arm)
        registry.register("robot", "rover", Rover)
        registry.register("camera", "cam", Cam)
        registry.register("policy", "tiny_act", Act)
        yield
    monkeypatch.undo()
    registry.refresh()


@pytest.fixture
def resolve() -> Callable[..., Any]:
    """Resolve flags to a configuration; the robot is an arm unless the flags say something about the robot."""

    def run(*flags: str, environ: dict[str, str] | None = None) -> Loaded[EverythingConfig]:
        robot = [] if any(flag.startswith("--robot") for flag in flags) else ["--robot.type=arm", "--robot.port=p"]
        return load(EverythingConfig, [*robot, *flags], environ)

    return run


@pytest.fixture
def problems(resolve: Callable[..., Any]) -> Callable[..., list[str]]:
    """The lines that flags are answered with."""

    def run(*flags: str, environ: dict[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            resolve(*flags, environ=environ)
        return [str(problem) for problem in caught.value.problems]

    return run
