"""The SO-100 and SO-101 leader arm."""

from lerobot.core.prompts import Prompter
from lerobot.motors.arms.servo_arm import ServoLeader
from lerobot.so100.config import SO100LeaderConfig, SO101LeaderConfig
from lerobot.so100.tables import LEADER


class SOLeader(ServoLeader):
    """An SO arm that is moved by hand and read; see `LeaderArm`.

    Args:
        config: see `SO100LeaderConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "so_leader"
    former_names = ("so101_leader", "so100_leader")
    table = LEADER

    def __init__(self, config: SO100LeaderConfig | SO101LeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=config.use_degrees, reads=config.num_read_retries, prompter=prompter)
