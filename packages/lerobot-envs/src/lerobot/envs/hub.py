"""Environments whose code is downloaded from the Hub. Running it is running a stranger's program."""

import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium

from lerobot.core.errors import LeRobotError
from lerobot.envs.config import HubEnvConfig
from lerobot.envs.old_gym import OldGym


def load_hub_env(config: HubEnvConfig, *, trust_remote_code: bool = False) -> Any:
    """Load the file, call its `make_env(n_envs=1, use_async_envs=False)` and take the one environment out.

    Args:
        config: where the file is.
        trust_remote_code: nothing is downloaded or run without it.

    Raises:
        LeRobotError: trust was not given, or there is no such file or function in it, or it gives several environments.
    """
    if not trust_remote_code:
        raise LeRobotError(
            f"environment {config.hub_path!r} is a program that would run on this computer",
            hint="If you have read it and trust it: --trust_remote_code=true",
        )
    file = _fetch(config.hub_path)
    spec = importlib.util.spec_from_file_location(f"lerobot_hub_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise LeRobotError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    maker = vars(module).get("make_env")
    if not callable(maker):
        raise LeRobotError(f"{file} defines no function make_env")
    accepted = inspect.signature(maker).parameters
    asked = {"n_envs": 1, "use_async_envs": False}
    return _single(maker(**{name: value for name, value in asked.items() if name in accepted}), config.hub_path)


def _fetch(path: str) -> Path:
    place, _, name = path.partition(":") if not Path(path).exists() else (path, "", "")
    repo_id, _, revision = place.partition("@")
    name = name or "env.py"
    if Path(repo_id).is_dir():
        file = Path(repo_id) / name
        if not file.is_file():
            raise LeRobotError(f"{file} does not exist")
        return file
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(repo_id, revision=revision or None)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise LeRobotError(f"environment {path!r} cannot be downloaded: {str(error).splitlines()[0]}") from error
    file = Path(folder) / name
    if not file.is_file():
        raise LeRobotError(f"repository {repo_id} has no file {name}")
    return file


def _single(made: Any, source: str) -> gymnasium.Env[Any, Any] | OldGym:
    """The environment inside what `make_env` returns: itself, a vector of one, or mappings down to one."""
    while isinstance(made, Mapping) and len(made) == 1:
        made = next(iter(made.values()))
    if isinstance(made, gymnasium.vector.SyncVectorEnv) and len(made.envs) == 1:
        made = made.envs[0]
    if not isinstance(made, gymnasium.Env | OldGym):
        raise LeRobotError(
            f"make_env of {source} returned {type(made).__name__}",
            expected="one gymnasium.Env, or a synchronous vector environment with one",
        )
    return made
