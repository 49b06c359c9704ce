"""Where things live on disk: the peer's folders, so that existing calibrations and datasets are found.

Nothing is created here and environment variables are read at call time.
"""

import os
from pathlib import Path

from lerobot.core.errors import ConfigError, ConfigProblem


def user_path(path: str | os.PathLike[str]) -> Path:
    """A path as people write it: `~` and `~name` at its beginning are home folders.

    Configurations do this by themselves, see `ConfigModel`; a function that people hand a path calls it first.

    Raises:
        ConfigError: it begins with the name of a user that this computer does not have.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError([ConfigProblem("path", str(path), "'~', or '~' and the name of a user, first")]) from error


def lerobot_home() -> Path:
    """Folder of datasets, calibrations and runs.

    Returns:
        `$HF_LEROBOT_HOME`, else `$HF_HOME/lerobot`, else `$XDG_CACHE_HOME/huggingface/lerobot`
        (`~/.cache/huggingface/lerobot`).

    Raises:
        ConfigError: the obsolete variable `LEROBOT_HOME` is set.
    """
    if "LEROBOT_HOME" in os.environ:
        raise ConfigError(
            [ConfigProblem("LEROBOT_HOME", os.environ["LEROBOT_HOME"], "HF_LEROBOT_HOME", "the old name is not read")]
        )
    if explicit := os.environ.get("HF_LEROBOT_HOME"):
        return user_path(explicit)
    return hf_home() / "lerobot"


def hf_home() -> Path:
    """Cache folder of the Hugging Face libraries: `$HF_HOME`, else `$XDG_CACHE_HOME/huggingface`."""
    if explicit := os.environ.get("HF_HOME"):
        return user_path(explicit)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (user_path(cache) if cache else Path.home() / ".cache") / "huggingface"


def calibration_root() -> Path:
    """Folder holding `robots/` and `teleoperators/`: `$HF_LEROBOT_CALIBRATION`, else `<home>/calibration`."""
    if explicit := os.environ.get("HF_LEROBOT_CALIBRATION"):
        return user_path(explicit)
    return lerobot_home() / "calibration"
