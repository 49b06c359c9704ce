"""Configurations of the formats that can be imported: the plugins of `lerobot.dataset_formats`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PluginConfig
from lerobot.dataset_tools.formats.files import episode_files, files_below, named_files


class SourceConfig(PluginConfig):
    """Choice of what to import, wherever it is.

    `target` of a format names a function that takes the configuration and returns an open
    `lerobot.dataset_tools.formats.source.EpisodeSource`.
    """

    kind: ClassVar[str] = "dataset_format"

    def source_name(self) -> str:
        """What is imported, in a word, beside the bar of progress."""
        return self.type

    def known_robot_type(self) -> str | None:
        """Name of the robot that recorded it, if the format is of one."""
        return None

    def card_details(self) -> Mapping[str, str]:
        """What the dataset's card says of the source: details of `dataset_card`; empty if it gets no card."""
        return {}


class DatasetFormatConfig(SourceConfig):
    """A format to import from a file or a folder of this machine."""

    path: Path = Field(description="File or folder to import.")

    def source_name(self) -> str:
        """Name of the file or folder."""
        return self.path.name


class FilesFormatConfig(DatasetFormatConfig):
    """A format whose files hold whole episodes, so that some of them can be imported by themselves.

    Only opening a file says how many; an import in shards is planned by groups of files, see `lerobot-jobs`.
    """

    files: list[str] | None = Field(
        default=None, description="Only these files of the folder, by their names below it, in this order."
    )

    def all_files(self) -> list[Path]:
        """Every file that holds episodes, in their order; none is opened.

        Raises:
            DatasetError: there is none.
        """
        raise NotImplementedError

    def chosen_files(self) -> list[Path]:
        """Those of `all_files` that are imported.

        Raises:
            DatasetError: there is none, or `files` names one that is not there.
        """
        return self.all_files() if self.files is None else named_files(self.path, self.files)


class RobomimicConfig(DatasetFormatConfig):
    """Robomimic and LIBERO HDF5: one group per demonstration."""

    target = "lerobot.dataset_tools.formats.robomimic:open_robomimic"

    type: str = "robomimic"
    group: str = Field(default="data", description="Group of the demonstrations; '/' if they are at the top.")
    mask: str | None = Field(default=None, description="Import only the demonstrations listed in mask/NAME.")


class AlohaConfig(FilesFormatConfig):
    """ALOHA HDF5: one file per episode, images raw or compressed."""

    target = "lerobot.dataset_tools.formats.aloha:open_aloha"

    type: str = "aloha_hdf5"
    swap_red_and_blue: bool = Field(
        default=False,
        description="Exchange red and blue of compressed images: where OpenCV, which takes BGR, was given RGB.",
    )

    def all_files(self) -> list[Path]:
        """See `FilesFormatConfig.all_files`."""
        return episode_files(self.path, ("*.hdf5", "*.h5"))


class D4RLConfig(DatasetFormatConfig):
    """D4RL HDF5: flat arrays cut by terminals and timeouts."""

    target = "lerobot.dataset_tools.formats.d4rl:open_d4rl"

    type: str = "d4rl"
    max_episode_steps: int | None = Field(
        default=None, gt=0, description="Length at which an episode ends by itself; for files without timeouts."
    )


class DiffusionPolicyConfig(DatasetFormatConfig):
    """Zarr replay buffer of diffusion_policy: a folder or a .zarr.zip file."""

    target = "lerobot.dataset_tools.formats.diffusion_policy:open_diffusion_policy"

    type: str = "diffusion_policy_zarr"


class _TrimConfig(FilesFormatConfig):
    trim: int = Field(
        default=0, ge=0, description="Rows to cut off the end of longer arrays: 1 for T + 1 observations, T actions."
    )


class NpzConfig(_TrimConfig):
    """NumPy archives: one file per episode, or flat arrays with episode_ends."""

    target = "lerobot.dataset_tools.formats.npz:open_npz"

    type: str = "npz"

    def all_files(self) -> list[Path]:
        """See `FilesFormatConfig.all_files`."""
        return episode_files(self.path, ("*.npz",))


class TreeConfig(_TrimConfig):
    """Fields of recordings of any layout, whose arrays `--map` names."""

    endings: ClassVar[tuple[str, ...]] = ()
    """Of the names of files."""

    group: str | None = Field(
        default=None, description="Group whose groups are an episode each; default: numbered ones of the same arrays."
    )

    def all_files(self) -> list[Path]:
        """See `FilesFormatConfig.all_files`."""
        return files_below(self.path, self.endings)


class HDF5Config(TreeConfig):
    """HDF5 of any layout: --map says what its arrays are; without it, they are listed."""

    target = "lerobot.dataset_tools.formats.tree:open_hdf5_tree"
    endings = (".hdf5", ".h5")

    type: str = "hdf5"


class ZarrConfig(TreeConfig):
    """Zarr of any layout: --map says what its arrays are; without it, they are listed."""

    target = "lerobot.dataset_tools.formats.tree:open_zarr_tree"
    endings = (".zarr", ".zarr.zip")

    type: str = "zarr"


class RLDSConfig(DatasetFormatConfig):
    """RLDS episodes in TFRecord files, as TensorFlow Datasets writes them; needs no TensorFlow."""

    target = "lerobot.dataset_tools.formats.rlds:open_rlds"

    type: str = "rlds"
    split: str | None = Field(default=None, description="Import only this split, such as 'train'.")
