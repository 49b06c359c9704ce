"""Configuration of `lerobot actor`."""

from typing import ClassVar

from lerobot.rl.commands.train_rl import ReinforcementOptions


class ActorConfig(ReinforcementOptions):
    """Act on a robot or in an environment with the policy of a learner, and send it what happens.

    The same file of settings as the learner's. Keys are those of train-rl.
    """

    target: ClassVar[str] = "lerobot.rl.pair.command:actor"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot actor --config_path=hilserl.json",
        "lerobot actor --config_path=hilserl.json --learner.host=192.168.1.5 --learner.token_file=token.txt",
    )
