"""What is done beside driving: the choice of a strategy, and the configurations of those that are here. Light."""

from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import PluginConfig

Need = Literal["no", "may", "must"]


class StrategyConfig(PluginConfig):
    """Choice of a strategy: `--strategy.type=sentry`.

    `target` is a class that is built with the configuration, and whose `run` is called; see
    `lerobot.rollout.stage.Strategy`.
    """

    kind: ClassVar[str] = "strategy"

    dataset: ClassVar[Need] = "no"
    """Whether there is a `--dataset`."""

    teleoperator: ClassVar[Need] = "no"
    """Whether there is a `--teleop`."""

    interactive: ClassVar[bool] = False
    """Whether it can be driven by words, `--interactive=true`."""

    duration: ClassVar[bool] = True
    """Whether `--duration` ends it."""


class BaseStrategyConfig(StrategyConfig):
    """Drive, and record nothing."""

    target: ClassVar[str] = "lerobot.rollout.strategies.base:BaseStrategy"
    interactive: ClassVar[bool] = True

    type: str = "base"


class EpisodicStrategyConfig(StrategyConfig):
    """Play episodes, and record them as a person's would be: reset, act, label, again."""

    target: ClassVar[str] = "lerobot.rollout.strategies.episodic:EpisodicStrategy"
    dataset: ClassVar[Need] = "must"
    teleoperator: ClassVar[Need] = "may"
    duration: ClassVar[bool] = False

    type: str = "episodic"
    reset_to_initial_position: bool = Field(
        default=True, description="Between episodes go back to where the robot was at the start; false: stay."
    )
    smooth_handover: bool = Field(
        default=True, description="Slide to where a teleoperator or the policy takes over, for a second."
    )
    smooth_leader_to_follower_handover: bool = Field(
        default=True, description="Bring a leader that can move to the robot's pose before a person takes over."
    )
