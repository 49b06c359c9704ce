"""Configuration of `lerobot convert-dataset --from=mcap`."""

from pydantic import Field

from lerobot.dataset_tools.formats.config import DatasetFormatConfig
from lerobot.mcap.contract import Contract


class McapConfig(DatasetFormatConfig):
    """MCAP logs and ROS 2 bags, by a contract of topics; needs no ROS."""

    target = "lerobot.mcap.source:open_mcap"

    type: str = "mcap"
    contract: Contract | None = Field(
        default=None, description="What becomes what; `lerobot mcap-contract LOG` proposes one."
    )
