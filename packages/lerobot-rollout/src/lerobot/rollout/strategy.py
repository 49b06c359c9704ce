"""What is done beside driving: the choice of a strategy, and the configurations of those that are here. Light."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, NoEffect, PluginConfig

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
        default=True, description="Slide to where the teleoperator is, for a second, before a person drives."
    )
    smooth_leader_to_follower_handover: bool = Field(
        default=True, description="Bring a leader that can move to the robot instead; needs smooth_handover."
    )


AT_REST = "Accepted; what is uploaded is uploaded at the end, when the robot is at rest."


class SentryStrategyConfig(StrategyConfig):
    """Drive, and record everything, cut into episodes."""

    target: ClassVar[str] = "lerobot.rollout.strategies.sentry:SentryStrategy"
    dataset: ClassVar[Need] = "must"
    interactive: ClassVar[bool] = True

    type: str = "sentry"
    upload_every_n_episodes: Annotated[int, NoEffect()] = Field(default=5, gt=0, description=AT_REST)
    target_video_file_size_mb: int | None = Field(
        default=None, gt=0, description="Cut an episode when its video is about so large, MB; null: as a file may be."
    )


class HighlightStrategyConfig(StrategyConfig):
    """Drive, and record what a person finds worth it, with the seconds before."""

    target: ClassVar[str] = "lerobot.rollout.strategies.highlight:HighlightStrategy"
    dataset: ClassVar[Need] = "must"

    type: str = "highlight"
    ring_buffer_seconds: float = Field(default=10.0, gt=0, description="Seconds that are remembered.")
    ring_buffer_max_memory_mb: int = Field(default=1024, gt=0, description="Memory for them, MB.")
    save_key: str = Field(default="s", description="Begins to record, from the remembered seconds on; again: ends.")
    push_key: str = Field(default="h", description="Uploads at the end, when the robot is at rest.")


class DAggerKeyboardConfig(ConfigModel):
    """Keys of the terminal."""

    pause_resume: str = Field(default="space", description="Stops the policy, and lets it go on.")
    correction: str = Field(default="tab", description="Begins and ends a correction, while the policy is stopped.")
    upload: str = Field(default="enter", description="Uploads at the end, when the robot is at rest.")


class DAggerPedalConfig(ConfigModel):
    """Switches of a pedal, as the kernel names their keys."""

    device_path: str = Field(
        default="/dev/input/by-id/usb-PCsensor_FootSwitch-event-kbd", description="File of its events."
    )
    pause_resume: str = Field(default="KEY_A", description="Stops the policy, and lets it go on.")
    correction: str = Field(default="KEY_B", description="Begins and ends a correction, while the policy is stopped.")
    upload: str = Field(default="KEY_C", description="Uploads at the end, when the robot is at rest.")


class DAggerStrategyConfig(StrategyConfig):
    """Let a person correct the policy with a teleoperator, and record the corrections."""

    target: ClassVar[str] = "lerobot.rollout.strategies.dagger:DAggerStrategy"
    dataset: ClassVar[Need] = "must"
    teleoperator: ClassVar[Need] = "must"

    type: str = "dagger"
    num_episodes: int | None = Field(
        default=None, gt=0, description="Corrections to record; null: --dataset.num_episodes."
    )
    record_autonomous: bool = Field(
        default=False, description="Record the policy too, cut into episodes; the column intervention tells who acts."
    )
    upload_every_n_episodes: Annotated[int, NoEffect()] = Field(default=5, gt=0, description=AT_REST)
    target_video_file_size_mb: int | None = Field(
        default=None, gt=0, description="With record_autonomous: cut when the video is about so large, MB."
    )
    smooth_handover: bool = Field(
        default=True, description="Slide from who acted to who acts, for a second, and bring a leader to the robot."
    )
    input_device: Literal["keyboard", "pedal"] = Field(default="keyboard", description="What a person has at hand.")
    keyboard: DAggerKeyboardConfig = Field(default_factory=DAggerKeyboardConfig, description="Keys of the terminal.")
    pedal: DAggerPedalConfig = Field(default_factory=DAggerPedalConfig, description="Switches of a pedal.")
