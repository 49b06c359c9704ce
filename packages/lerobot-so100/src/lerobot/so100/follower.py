"""The SO-100 and SO-101 follower arm."""

from lerobot.motors.arms.servo_arm import ServoFollower
from lerobot.so100.config import SO100FollowerConfig, SO101FollowerConfig
from lerobot.so100.tables import FOLLOWER


class SOFollower(ServoFollower):
    """An SO arm that follows commands; see `FollowerArm`."""

    name = "so_follower"
    former_names = ("so101_follower", "so100_follower")
    table = FOLLOWER
    config: SO100FollowerConfig | SO101FollowerConfig

    def settings(self, joint: str) -> dict[str, int]:
        """See `ServoArm.settings`; the gains are those of the configuration."""
        return super().settings(joint) | {
            "P_Coefficient": self.config.position_p_coefficient,
            "I_Coefficient": self.config.position_i_coefficient,
            "D_Coefficient": self.config.position_d_coefficient,
        }
