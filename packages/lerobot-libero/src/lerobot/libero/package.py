"""LIBERO's own files in the distribution `hf-libero`: its tasks, its starts, and the code that makes its scenes.

Of that code the scenes alone are imported: its own `__init__` asks a question on the terminal, and what stands beside
them needs the libraries of its training.
"""

import importlib
import importlib.metadata
import importlib.util
import logging
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.envs.opengl import windowless

DISTRIBUTION, VERSION = "hf-libero", "0.1.4"

INSTALL = f"Install it without what it asks for: uv pip install --no-deps {DISTRIBUTION}=={VERSION}"

_PLACES = ("libero", "libero.libero", "libero.libero.envs", "libero.libero.benchmark")
"""Packages whose `__init__` is left out."""

_assets: ContextVar[Path] = ContextVar("_assets")


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """One task.

    Attributes:
        name: its name, which its files have.
        language: the task in words.
        bddl: file that describes scene, start and goal.
        init_states: file of its starts.
    """

    name: str
    language: str
    bddl: Path
    init_states: Path


@cache
def package_folder() -> Path:
    """The folder `libero/libero` of the distribution.

    Raises:
        LeRobotError: it is not installed, or in another version.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise LeRobotError(f"LIBERO's tasks and scenes ({DISTRIBUTION}) are not installed", hint=INSTALL) from error
    if distribution.version != VERSION:
        raise LeRobotError(f"{DISTRIBUTION} is {distribution.version}", expected=VERSION, hint=INSTALL)
    return Path(str(distribution.locate_file("libero/libero")))


@cache
def suite_tasks(suite: str) -> tuple[TaskFiles, ...]:
    """The tasks of a suite, in the order of their numbers.

    Raises:
        LeRobotError: see `package_folder`.
    """
    folder = package_folder()
    _hold_places(folder)
    names = importlib.import_module("libero.libero.benchmark.libero_suite_task_map").libero_task_map[suite]
    return tuple(
        TaskFiles(
            name,
            _language(name),
            folder / "bddl_files" / suite / f"{name}.bddl",
            folder / "init_files" / suite / f"{name}.pruned_init",
        )
        for name in names
    )


def _language(name: str) -> str:
    """The task in words, as LIBERO and the policies taught with it have them: from the name, without the scene."""
    return re.sub(r"^[A-Z_]+SCENE\d+_", "", name).replace("_", " ")


@cache
def problems() -> Mapping[str, type[Any]]:
    """The classes of LIBERO's scenes, by the name that a task's description gives.

    Raises:
        LeRobotError: see `package_folder`; or the machine has no OpenGL to draw with.
    """
    _hold_places(package_folder())
    with windowless(), _robosuite_quiet():
        importlib.import_module("libero.libero.envs.problems")
        base = importlib.import_module("libero.libero.envs.bddl_base_domain")
    found: Mapping[str, type[Any]] = base.TASK_MAPPING
    return found


@contextmanager
def using_assets(folder: Path) -> Iterator[None]:
    """Let scenes that are built inside the block take meshes and pictures from a folder."""
    token = _assets.set(folder)
    try:
        yield
    finally:
        _assets.reset(token)


def _hold_places(folder: Path) -> None:
    """Stand in for the packages whose `__init__` must not run; the modules in them are found in their folders."""
    present = sys.modules.get("libero.libero")
    if present is not None:
        if "lerobot_assets" not in vars(present):
            raise LeRobotError("LIBERO's own package was imported in this process, and it cannot be used twice")
        return
    for name in _PLACES:
        module = ModuleType(name)
        module.__path__ = [str(folder.parent.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
    place = sys.modules["libero.libero"]
    vars(place).update(lerobot_assets=_assets, get_assets_path=lambda: str(_assets.get()))


@contextmanager
def _robosuite_quiet() -> Iterator[None]:
    """Let robosuite be imported inside the block: what it warns of is for its developers."""
    logger = logging.getLogger("robosuite_logs")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _keep_no_log()
            yield
    finally:
        logger.setLevel(before)


def _keep_no_log() -> None:
    """Load robosuite's settings before it does: it would write a log file that all users of a computer share."""
    name = "robosuite.macros"
    if name in sys.modules:
        return
    spec = importlib.util.find_spec("robosuite")
    if spec is None or not spec.submodule_search_locations:
        raise LeRobotError("robosuite, which LIBERO's scenes are made with, is not installed")
    file = Path(spec.submodule_search_locations[0]) / "macros.py"
    settings = importlib.util.spec_from_file_location(name, file)
    if settings is None or settings.loader is None:
        raise LeRobotError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(settings)
    settings.loader.exec_module(module)
    vars(module).update(FILE_LOGGING_LEVEL=None)
    sys.modules[name] = module
