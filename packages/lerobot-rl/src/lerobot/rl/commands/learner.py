"""Configuration of `lerobot learner`."""

from typing import ClassVar

from lerobot.rl.commands.train_rl import ReinforcementOptions


class LearnerCommandConfig(ReinforcementOptions):
    """Learn from what an actor sends, and give it better weights.

    The same file of settings as the actor's; no device is touched here.
    """

    target: ClassVar[str] = "lerobot.rl.pair.command:learner"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot learner --config_path=hilserl.json --output_dir=outputs/cube",
        "lerobot learner --config_path=outputs/cube/checkpoints/last/pretrained_model/train_config.json --resume=true",
    )
