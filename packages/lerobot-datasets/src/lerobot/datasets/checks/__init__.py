"""Whether the files hold what the metadata says: at every save, and for whoever verifies a whole dataset."""

from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.checks.structure import check_structure

__all__ = ["Finding", "check_structure"]
