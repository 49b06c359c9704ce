"""What stands before and behind GR00T N1.5."""

from lerobot.core.errors import CheckpointError
from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.groot.config import GrootN15Config
from lerobot.groot.step_configs import EMBODIMENTS, CollateConfig, EncodeConfig, PackConfig, UnpackConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.features import ACTION
from lerobot.policies.processing.config import DeviceConfig, ToBatchConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def groot_processors(config: GrootN15Config, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, pack, conversation, tokens and pixels, device | unpack, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: the tokenizer, or a file beside it, is not there; or nobody knows the kind of robot.
        LeRobotError: `transformers` is not installed.
    """
    if config.embodiment_tag not in EMBODIMENTS:
        raise CheckpointError(
            f"nothing is known of the embodiment_tag {config.embodiment_tag!r}", expected=", ".join(EMBODIMENTS)
        )
    pack = PackConfig(
        action_horizon=config.size.head.horizon,
        max_state_dim=config.max_state_dim,
        max_action_dim=config.max_action_dim,
        embodiment_tag=config.embodiment_tag,
    )
    unpack = UnpackConfig(env_action_dim=config.output_features[ACTION].shape[0])
    assets = config.tokenizer_assets_repo
    return joined(
        [
            build_step(RenameObservationsConfig()),
            build_step(ToBatchConfig()),
            build_step(pack, {"stats": stats}),
            build_step(EncodeConfig(tokenizer_assets_repo=assets)),
            build_step(CollateConfig(tokenizer_assets_repo=assets)),
            build_step(DeviceConfig(device=str(choose_device(config.device)))),
        ],
        [build_step(unpack, {"stats": stats}), build_step(DeviceConfig(device="cpu"))],
    )
