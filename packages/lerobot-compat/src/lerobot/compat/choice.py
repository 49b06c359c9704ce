"""Configurations as huggingface/lerobot's plugins write them: dataclasses that register themselves under a name."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from lerobot.core.config import base

Config = TypeVar("Config", bound=type)


class Choice(ABC):
    """Base of configurations that are chosen by name; each class derived directly from it has names of its own."""

    _choices: ClassVar[dict[str, type]]

    def __init_subclass__(cls) -> None:
        """Give a family of choices its names."""
        super().__init_subclass__()
        if Choice in cls.__bases__:
            cls._choices = {}

    @classmethod
    def register_subclass(cls, name: str) -> Callable[[Config], Config]:
        """Register the decorated class.

        Args:
            name: what `--robot.type` and the like call it.

        Raises:
            ValueError: another class has the name.
        """

        def register(config: Config) -> Config:
            known = cls._choices.setdefault(name, config)
            if known is not config and known.__qualname__ != config.__qualname__:
                raise ValueError(f"{config.__name__} cannot be {name!r}, which {known.__name__} is already")
            cls._choices[name] = config
            return config

        return register

    @classmethod
    def get_choice_class(cls, name: str) -> type:
        """The class of a name.

        Raises:
            KeyError: there is none.
        """
        return cls._choices[name]

    @classmethod
    def get_choice_name(cls, config: type) -> str:
        """The name of a class.

        Raises:
            ValueError: it is not registered.
        """
        for name, known in cls._choices.items():
            if known is config:
                return name
        raise ValueError(f"{config.__name__} is not registered as a {cls.__name__}")

    @classmethod
    def get_known_choices(cls) -> dict[str, type]:
        """All classes by name."""
        return dict(cls._choices)

    @property
    def type(self) -> str:
        """The registered name."""
        return self.get_choice_name(type(self))

    def __post_init__(self) -> None:  # noqa: B027 - families and plugins may have one, and need none
        """Nothing: what a plugin's own `__post_init__` calls first."""


@dataclass(kw_only=True)
class RobotConfig(Choice):
    """Fields every robot has.

    Attributes:
        id: name of this very robot; chooses its calibration file.
        calibration_dir: folder of the calibration file; a folder per robot type if None.
    """

    id: str | None = None
    calibration_dir: Path | None = None

    def __post_init__(self) -> None:
        """A camera of a robot has a size and a rate, or the robot's features would be unknown."""
        for name, camera in (self.__dict__.get("cameras") or {}).items():
            for needed in ("width", "height", "fps"):
                if camera.__getattribute__(needed) is None:
                    raise ValueError(f"camera {name!r} has no {needed!r}, which cameras of a robot need")


@dataclass(kw_only=True)
class TeleoperatorConfig(Choice):
    """Fields every teleoperator has; see `RobotConfig`."""

    id: str | None = None
    calibration_dir: Path | None = None


@dataclass(kw_only=True)
class CameraConfig(Choice):
    """Fields every camera has.

    Attributes:
        fps: frames per second to ask the camera for.
        width: picture width in pixels, after rotation.
        height: picture height in pixels, after rotation.
    """

    fps: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(kw_only=True)
class EnvConfig(Choice):
    """Fields every simulated environment has.

    Attributes:
        task: name of the task within its package.
        fps: steps per second.
        features: inputs and outputs of a policy, by the environment's names.
        features_map: the policy's names of them.
        max_parallel_tasks: how many tasks are played at once.
        disable_env_checker: do without gymnasium's checks of every reset and step.
    """

    task: str | None = None
    fps: int = 30
    features: dict[str, Any] = field(default_factory=dict)
    features_map: dict[str, str] = field(default_factory=dict)
    max_parallel_tasks: int = 1
    disable_env_checker: bool = True

    @property
    def package_name(self) -> str:
        """Package whose import registers the environment with gymnasium."""
        return f"gym_{self.type}"

    @property
    def gym_id(self) -> str:
        """Name under which it is registered."""
        return f"{self.package_name}/{self.task}"

    @property
    @abstractmethod
    def gym_kwargs(self) -> dict[str, Any]:
        """What `gymnasium.make` is given."""


# Ours count as theirs: annotations and `isinstance` in programs mean any configuration of the kind.
RobotConfig.register(base.RobotConfig)
TeleoperatorConfig.register(base.TeleoperatorConfig)
CameraConfig.register(base.CameraConfig)
EnvConfig.register(base.EnvConfig)
