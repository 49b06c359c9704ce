"""Configuration of `lerobot convert-dataset --from=mcap`."""

from pathlib import Path

from pydantic import Field

from lerobot.dataset_tools.formats.config import FilesFormatConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.log.path import log_paths


class McapConfig(FilesFormatConfig):
    """MCAP logs and ROS 2 bags, by a contract of topics; needs no ROS."""

    target = "lerobot.mcap.source:open_mcap"

    type: str = "mcap"
    contract: Contract | None = Field(
        default=None, description="What becomes what; `lerobot mcap-contract LOG` proposes one."
    )

    def all_files(self) -> list[Path]:
        """See `FilesFormatConfig.all_files`; a bag is one, with all its files."""
        return log_paths(self.path)
