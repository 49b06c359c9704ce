"""Settings of real-time chunking. Light: they are part of commands and of policies' configurations."""

from typing import Annotated, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, NoEffect

Schedule = Literal["ZEROS", "ONES", "LINEAR", "EXP"]
"""How much the actions of the previous chunk count behind those that are executed in any case."""


class RTCConfig(ConfigModel):
    """How a new chunk is made to continue the one that is being executed."""

    enabled: bool = Field(default=True, description="Let each chunk continue the one before.")
    mode: Literal["guided", "trained"] = Field(
        default="guided",
        # The peer's releases before this field refuse every field that they do not know.
        exclude_if=lambda value: value == "guided",
        description="guided: any policy that takes noise away step by step; trained: one that learned with delays.",
    )
    prefix_attention_schedule: Schedule = Field(
        default="LINEAR",
        description="Weight of previous actions that need not be repeated, up to execution_horizon: ZEROS none, ONES "
        "all of it, LINEAR and EXP ever less.",
    )
    max_guidance_weight: float = Field(default=10.0, gt=0, description="Strongest pull towards the previous chunk.")
    execution_horizon: int = Field(
        default=10, ge=1, description="Actions of the previous chunk, from the present one on, that count at all."
    )
    use_jacobian: bool = Field(
        default=True,
        exclude_if=lambda value: value,
        description="Differentiate the network, as published; false: take its derivative for 1, as "
        "huggingface/lerobot does, in half the time.",
    )
    debug: Annotated[bool, NoEffect()] = Field(default=False, description="Accepted; nothing is recorded.")
    debug_maxlen: Annotated[int, NoEffect()] = Field(default=100, gt=0, description="Accepted; nothing is recorded.")
