"""Settings of real-time chunking. Light: it imports no array library."""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel

Schedule = Literal["ZEROS", "ONES", "LINEAR", "EXP"]
"""How weights fall from 1 at the delay to 0 at the horizon: at once at the delay, at the horizon, straight, bent."""


class RTCConfig(ConfigModel):
    """Real-time chunking: each chunk goes on from the one before it, so that the robot need not stop to think.

    Source:
        Black, Galliker, Levine 2025, arXiv:2506.07339.
    """

    enabled: bool = Field(default=True, description="Do so; then chunks are asked for, and no single actions.")
    prefix_attention_schedule: Schedule = Field(
        default="LINEAR", description="How the pull of the last chunk falls between delay and horizon."
    )
    max_guidance_weight: float = Field(default=10.0, gt=0, description="The strongest pull.")
    execution_horizon: int = Field(default=10, gt=0, description="Actions that feel the pull of the last chunk.")
    debug: bool = Field(default=False, description="Accepted as in huggingface/lerobot; nothing is recorded.")
    debug_maxlen: int = Field(default=100, description="Accepted as in huggingface/lerobot.")
    use_jacobian: bool = Field(
        default=False,
        exclude_if=lambda value: not value,
        description="Pull through the network's derivative, as in the paper; each step then takes twice as long.",
    )
