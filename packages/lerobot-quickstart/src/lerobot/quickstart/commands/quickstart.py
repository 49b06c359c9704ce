"""Configuration of `lerobot quickstart`."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class QuickstartConfig(CommandConfig):
    """Demonstrate, train, evaluate and report on a virtual arm; called again, it goes on where it stopped."""

    target: ClassVar[str] = "lerobot.quickstart.command:quickstart"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot quickstart",
        "lerobot quickstart --short=true --output_dir=outputs/smoke",
    )

    output_dir: Path = Field(
        default=Path("outputs/quickstart"), description="Folder of the recording, the policy and the page."
    )
    task: Literal["reach", "push", "lift"] = Field(
        default="reach", description="What to learn; the budget is measured for reach, the others need more of it."
    )
    episodes: int | None = Field(default=None, gt=0, description="Demonstrations to record; default: 300, short 4.")
    steps: int | None = Field(default=None, gt=1, description="Batches to train on; default: 2000, short 20.")
    eval_episodes: int | None = Field(default=None, gt=0, description="Episodes to evaluate; default: 50, short 4.")
    # The demonstrations have seed 0, and the first that the evaluation leaves free.
    seed: int = Field(default=1000, gt=0, description="Of the training; evaluation begins with this one too.")
    short: bool = Field(default=False, description="A minute to see that everything runs; the policy learns nothing.")
