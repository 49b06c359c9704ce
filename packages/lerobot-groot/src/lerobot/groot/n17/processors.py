"""What stands before and behind GR00T N1.7."""

from typing import Any

from lerobot.core.errors import CheckpointError
from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.core.protocols import ProcessorStep
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.groups import state_statistics
from lerobot.groot.n17.published import Base
from lerobot.groot.n17.step_configs import (
    CROP_SIZE,
    EMBODIMENTS,
    TARGET_SIZE,
    DecodeConfig,
    EncodeConfig,
    PackConfig,
    UnpackConfig,
)
from lerobot.policies.devices import choose_device
from lerobot.policies.features import ACTION
from lerobot.policies.processing.config import (
    AbsoluteActionsConfig,
    DeviceConfig,
    RelativeActionsConfig,
    ToBatchConfig,
)
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def groot_processors(config: GrootConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, pack, tokens and patches, device | decode or unpack, CPU.

    A base of NVIDIA's layout that has statistics of this kind of robot is decoded with them, part by part.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them, and without the base's, the processors only run once they are
            loaded.

    Raises:
        CheckpointError: the tokenizer, or a file beside it, is not there; nobody knows the kind of robot; or relative
            actions are asked for that nobody has statistics of.
        LeRobotError: `transformers` is not installed.
    """
    base = config.base
    known = EMBODIMENTS if base is None else base.embodiments
    if config.embodiment_tag not in known:
        raise CheckpointError(
            f"nothing is known of the embodiment_tag {config.embodiment_tag!r}", expected=", ".join(known)
        )
    by_parts = base is not None and base.has_statistics
    if config.use_relative_actions and not by_parts:
        raise CheckpointError(
            "use_relative_actions needs statistics of relative actions, step by step, which are not computed here",
            expected="a base_model_path that has some of the embodiment_tag, or a checkpoint that was trained so",
        )
    pack: Any = build_step(_pack(config, base), {"stats": _statistics(base) if base and by_parts else stats})
    before: list[ProcessorStep] = [build_step(RenameObservationsConfig()), build_step(ToBatchConfig()), pack]
    after: list[ProcessorStep] = [build_step(DeviceConfig(device="cpu"))]
    if base is not None and base.has_statistics:
        relative = bool(base.settings.get("use_relative_action", False))
        if config.use_relative_actions and not relative:
            # The base's statistics are of absolute actions: relative ones are scaled by them, as there.
            before.insert(
                2, build_step(RelativeActionsConfig(enabled=True, exclude_joints=config.relative_exclude_joints))
            )
            after.insert(0, build_step(AbsoluteActionsConfig(enabled=True)))
        after.insert(0, build_step(_decode(config, base, relative=relative), {"pack": pack}))
    else:
        after.insert(0, build_step(_unpack(config), {"stats": stats}))
    device = DeviceConfig(device=str(choose_device(config.device)))
    return joined([*before, build_step(_encode(config, base)), build_step(device)], after)


def _statistics(base: Base) -> Stats:
    percentiles = bool(base.settings.get("use_percentiles", False))
    return state_statistics(base.statistics, base.parts, percentiles=percentiles)


def _pack(config: GrootConfig, base: Base | None) -> PackConfig:
    known: dict[str, Any] = {
        "action_horizon": config.horizon,
        "valid_action_horizon": config.horizon,
        "max_state_dim": config.max_state_dim,
        "max_action_dim": config.max_action_dim,
        "embodiment_tag": config.embodiment_tag,
    }
    if base is None:
        return PackConfig(**known)
    settings = base.settings
    known["action_horizon"] = settings.get("max_action_horizon") or config.horizon
    known["valid_action_horizon"] = base.horizon or known["action_horizon"]
    return PackConfig(
        **known,
        video_horizon=base.images,
        formalize_language=settings.get("formalize_language", True),
        embodiment_mapping=base.embodiments,
        state_dropout_prob=settings.get("state_dropout_prob") or 0.0,
        clip_outliers=settings.get("clip_outliers", True),
        use_percentiles=settings.get("use_percentiles", False),
        video_modality_keys=base.cameras,
        raw_stats=base.statistics,
        modality_config=base.parts,
    )


def _encode(config: GrootConfig, base: Base | None) -> EncodeConfig:
    settings = {} if base is None else base.settings
    sizes: dict[str, Any] = {"image_target_size": TARGET_SIZE, "image_crop_size": CROP_SIZE}
    if settings.get("image_target_size") is not None:
        names = ("image_target_size", "image_crop_size", "shortest_image_edge", "crop_fraction")
        sizes = {name: settings.get(name) for name in names}
    return EncodeConfig(
        model_name=config.vlm_assets,
        use_albumentations=settings.get("use_albumentations", False),
        letter_box_transform=settings.get("letter_box_transform", False),
        device=config.device,
        **sizes,
    )


def _decode(config: GrootConfig, base: Base, *, relative: bool) -> DecodeConfig:
    return DecodeConfig(
        env_action_dim=config.output_features[ACTION].shape[0],
        raw_stats=base.statistics,
        modality_config=base.parts,
        use_percentiles=base.settings.get("use_percentiles", False),
        use_relative_action=relative,
        action_decode_transform=config.action_decode_transform,
    )


def _unpack(config: GrootConfig) -> UnpackConfig:
    return UnpackConfig(
        env_action_dim=config.output_features[ACTION].shape[0],
        clip_normalized_action=True,
        libero_gripper_action=config.action_decode_transform == "libero",
    )
