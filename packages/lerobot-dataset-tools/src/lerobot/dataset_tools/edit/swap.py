"""Putting an edited dataset in its place in one step, and taking that step back.

The result is built in a hidden folder beside its place. In place, one system call then swaps it with the original,
which stays as a backup under the next free of the names `<name>_old`, `<name>_old2`, ... A kill before the call leaves
the original, a kill after it the result; a half-built folder is removed by the next edit.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from lerobot.core.durable import flush_folder, make_folder
from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.datasets.format import layout
from lerobot.datasets.writer.exchange import exchange
from lerobot.datasets.writer.lock import WriterLock

logger = logging.getLogger(__name__)

OTHER_FOLDER = "choose another --new_repo_id or --new_root"
"""What helps an edit whose result would overwrite something."""


def aside_folder(place: Path) -> Path:
    """Where the dataset that is to stand at `place` is built."""
    return place.with_name(f".{place.name}.editing")


def backups(root: Path) -> list[Path]:
    """Earlier states of a dataset that edits left beside it, the newest last."""
    pattern = re.compile(rf"{re.escape(root.name)}_old(\d*)")
    found = {path: match for path in root.parent.iterdir() if (match := pattern.fullmatch(path.name))}
    return sorted(found, key=lambda path: int(found[path][1] or 1))


def edit_in_place(root: Path, write: Callable[[Path], object]) -> Path:
    """Replace a dataset by an edited one.

    Args:
        root: its folder.
        write: fills an empty folder with the result; the original is as it was if this raises.

    Returns:
        The backup: the original, under its new name.

    Raises:
        DatasetError: somebody is recording into the dataset, its parent folder cannot be written, or the file system
            cannot swap folders.
    """
    real = user_path(root).resolve()
    lock = WriterLock(real)
    try:
        _check_can_exchange(real.parent)
        aside = aside_folder(real)
        _build(aside, write)
        backup = _next_backup(real)
        # Under its visible name first: after a kill between the two steps nobody takes it for garbage.
        aside.rename(backup)
        try:
            exchange(real, backup)
        except OSError as error:
            # Only this says that nothing was swapped; after an interruption the original may be under this name.
            shutil.rmtree(backup, ignore_errors=True)
            raise DatasetError(f"{root} could not be swapped with its edit: {error.strerror or error}") from error
        flush_folder(real.parent)
        lock.moved_to(backup)
    finally:
        lock.release()
    logger.info("%s is edited; the original is kept in %s", root, backup)
    return backup


def write_new(target: Path, write: Callable[[Path], object], hint: str = OTHER_FOLDER) -> None:
    """Create a dataset, complete from the first instant that it can be seen.

    Args:
        target: its folder; must not exist or be empty.
        write: fills an empty folder with it; nothing is left if this raises.
        hint: what to do where it holds something.

    Raises:
        DatasetError: the folder holds something, or cannot be written.
    """
    target = user_path(target)
    check_is_free(target, hint)
    make_folder(target.parent.resolve())
    place = target.parent.resolve() / target.name
    aside = aside_folder(place)
    _build(aside, write)
    aside.rename(place)
    flush_folder(place.parent)


def check_is_free(target: Path, hint: str = OTHER_FOLDER) -> None:
    """Refuse a folder that a new dataset would overwrite.

    Args:
        target: the folder.
        hint: what to do where it is taken.

    Raises:
        DatasetError: it holds something, or is a file.
    """
    target = user_path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(f"{target} already exists", expected="a new folder", hint=hint)


def undo(root: Path) -> Path:
    """Take back the last edit of a dataset; doing it twice brings the edit again.

    Args:
        root: its folder.

    Returns:
        The backup that it was swapped with, which now holds the edited state.

    Raises:
        DatasetError: there is no backup, or it cannot be swapped.
    """
    real = user_path(root).resolve()
    found = backups(real)
    if not found or not (found[-1] / layout.INFO_PATH).exists():
        raise DatasetError(f"{root} has no backup, so there is no edit to undo", expected=f"{real.name}_old beside it")
    lock = WriterLock(real)
    try:
        _check_can_exchange(real.parent)
        exchange(real, found[-1])
        flush_folder(real.parent)
        lock.moved_to(found[-1])
    finally:
        lock.release()
    return found[-1]


def _build(aside: Path, write: Callable[[Path], object]) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        write(aside)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise DatasetError(
            f"{aside.parent} could not be written: {error.strerror or error}",
            hint="nothing was changed; free some space or mend the permissions",
        ) from error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _next_backup(real: Path) -> Path:
    taken = backups(real)
    number = int(taken[-1].name.removeprefix(f"{real.name}_old") or 1) + 1 if taken else 1
    return real.with_name(f"{real.name}_old{number if number > 1 else ''}")


def _check_can_exchange(parent: Path) -> None:
    """Refuse before the work what the last step could not do."""
    try:
        with tempfile.TemporaryDirectory(prefix=".lerobot-", dir=parent) as folder:
            one, other = Path(folder, "one"), Path(folder, "other")
            one.mkdir()
            other.mkdir()
            exchange(one, other)
    except (OSError, NotImplementedError) as error:
        raise DatasetError(
            f"the datasets in {parent} cannot be edited in place: {getattr(error, 'strerror', None) or error}",
            expected="a folder that can be written, on a file system that can swap folders",
            hint="write the result elsewhere with --new_repo_id or --new_root",
        ) from error
