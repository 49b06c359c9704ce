"""Configuration of `lerobot mcap-contract`."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig, Positional


class McapContractConfig(CommandConfig):
    """Show what is in a log, and propose a contract to import it by.

    What is printed is a contract as it stands, its topics, rates, clocks and gaps as comments:
    `lerobot mcap-contract LOG > contract.yaml`, then
    `lerobot convert-dataset --from=mcap --from.path=LOG --from.contract=contract.yaml`.
    """

    target: ClassVar[str] = "lerobot.mcap.inspection.command:mcap_contract"
    examples: ClassVar[tuple[str, ...]] = ("lerobot mcap-contract log.mcap > contract.yaml",)

    log: Annotated[Path, Positional()] = Field(description="MCAP file, ROS 2 bag, or folder of them.")
