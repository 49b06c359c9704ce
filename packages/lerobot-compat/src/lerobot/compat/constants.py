"""Constants of huggingface/lerobot: keys of the dataset and checkpoint formats, and folders.

Source:
    The formats' specifications, `meta/info.json` of LeRobotDataset v3.0 and the files of a training checkpoint; mean
    and deviation of ImageNet as published with torchvision's models.
"""

from pathlib import Path

from lerobot.core.paths import calibration_root, lerobot_home

OBS_STR = "observation"
OBS_PREFIX = "observation."
OBS_STATE = "observation.state"
OBS_ENV_STATE = "observation.environment_state"
OBS_ENV = OBS_ENV_STATE
OBS_IMAGE = "observation.image"
OBS_IMAGES = "observation.images"
OBS_ROBOT = OBS_STATE
OBS_LANGUAGE = "observation.language"
OBS_LANGUAGE_TOKENS = "observation.language.tokens"
OBS_LANGUAGE_ATTENTION_MASK = "observation.language.attention_mask"
ACTION = "action"
ACTION_PREFIX = "action."
ACTION_TOKENS = "action.tokens"
ACTION_TOKEN_MASK = "action.token_mask"  # noqa: S105 - a key
REWARD = "next.reward"
DONE = "next.done"
TRUNCATED = "next.truncated"
SUCCESS = "next.success"
INFO = "info"

ROBOTS = "robots"
TELEOPERATORS = "teleoperators"

CHECKPOINTS_DIR = "checkpoints"
LAST_CHECKPOINT_LINK = "last"
PRETRAINED_MODEL_DIR = "pretrained_model"
TRAINING_STATE_DIR = "training_state"
RNG_STATE = "rng_state.safetensors"
TRAINING_STEP = "training_step.json"
OPTIMIZER_STATE = "optimizer_state.safetensors"
OPTIMIZER_PARAM_GROUPS = "optimizer_param_groups.json"
SCHEDULER_STATE = "scheduler_state.json"

POLICY_PREPROCESSOR_DEFAULT_NAME = "policy_preprocessor"
POLICY_POSTPROCESSOR_DEFAULT_NAME = "policy_postprocessor"

DEFAULT_FEATURES = {
    "timestamp": {"dtype": "float32", "shape": (1,), "names": None},
    **{
        key: {"dtype": "int64", "shape": (1,), "names": None}
        for key in ("frame_index", "episode_index", "index", "task_index")
    },
}
IMAGENET_STATS = {
    "mean": [[[0.485]], [[0.456]], [[0.406]]],
    "std": [[[0.229]], [[0.224]], [[0.225]]],
}


def __getattr__(name: str) -> Path:
    """Folders, which the environment says when they are first asked for."""
    folders = {
        "HF_LEROBOT_HOME": lerobot_home,
        "HF_LEROBOT_CALIBRATION": calibration_root,
        "default_cache_path": lerobot_home,
        "default_calibration_path": calibration_root,
    }
    if name not in folders:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return folders[name]()
