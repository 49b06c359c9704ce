"""What a kind of file is: how it is written, and how it is run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lerobot.policies.export.parity import Run
from lerobot.policies.export.program import Trace
from lerobot.policies.formats import ExportFormatConfig

OUTPUT = "action"
METADATA = "metadata"
"""Key of the description, in JSON, inside every file."""


class ExportFormat(ABC):
    """One kind of file.

    Args:
        config: what was asked for.
    """

    label: ClassVar[str]
    """Its name in messages."""

    def __init__(self, config: ExportFormatConfig) -> None:
        self.config = config

    def require(self) -> None:  # noqa: B027 - most need nothing
        """Check that what it needs is installed, before a policy is loaded.

        Raises:
            LeRobotError: it is not; the hint is the command that installs it.
        """

    @abstractmethod
    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write a traced policy and its description.

        Args:
            trace: in the precision that the configuration asks for.
            description: JSON values.
            path: the file; further files, whose names begin with its stem, stand beside it.
        """

    @abstractmethod
    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Make a function of a file that runs it; the names are those of its inputs, in order."""
