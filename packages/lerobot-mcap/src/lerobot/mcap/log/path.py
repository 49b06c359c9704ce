"""Where logs are: files, bags, and folders of them. Opens nothing but the metadata of bags."""

from pathlib import Path

import yaml

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import natural, reading

SQLITE = ".db3"
ENDINGS = (".mcap", SQLITE)
"""Endings of files that can be read."""

METADATA = "metadata.yaml"
"""File that makes a folder a ROS 2 bag."""


def log_paths(path: Path) -> list[Path]:
    """The file or bag that a path names, or those in the folder that it names, in natural order of their names.

    Raises:
        DatasetError: there is none.
    """
    if not path.is_dir() or (path / METADATA).is_file():
        if not path.exists():
            raise DatasetError(f"there is no file or folder {path}")
        return [path]
    found = [each for each in path.iterdir() if each.suffix in ENDINGS or (each / METADATA).is_file()]
    if not found:
        endings = ", ".join(f"*{ending}" for ending in ENDINGS)
        raise DatasetError(f"{path} holds no log", expected=f"{endings}, or folders with {METADATA}")
    return sorted(found, key=lambda each: natural(each.name))


def files_of(path: Path) -> list[Path]:
    """The files of a log: itself, or those of a bag in the order of its metadata.

    Raises:
        DatasetError: the bag lacks one, or a file is of another kind.
    """
    paths = _bag_files(path) if path.is_dir() else [path]
    for each in paths:
        if each.suffix not in ENDINGS:
            hint = "unpack it first" if each.suffix in (".zstd", ".gz", ".lz4") else ""
            raise DatasetError(f"{each} cannot be read", expected=f"a file *{', *'.join(ENDINGS)}", hint=hint)
    return paths


def _bag_files(folder: Path) -> list[Path]:
    """Files of a bag; they lie in its folder, whatever their path says."""
    with reading(str(folder / METADATA), "the metadata of a ROS 2 bag"):
        try:
            described = yaml.safe_load((folder / METADATA).read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ValueError("it is no YAML") from error
        names = described["rosbag2_bagfile_information"]["relative_file_paths"]
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("it lists no files")
    paths = [folder / Path(name).name for name in names]
    for path in paths:
        if not path.is_file():
            raise DatasetError(f"there is no {path}", expected=f"the files that {folder / METADATA} lists")
    return paths
