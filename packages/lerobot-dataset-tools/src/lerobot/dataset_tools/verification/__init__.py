"""What is wrong with a dataset, one finding at a time."""

from lerobot.datasets.verification.findings import Finding
from lerobot.datasets.verification.structure import check_structure
from lerobot.datasets.verification.verify import verify_dataset

__all__ = ["Finding", "check_structure", "verify_dataset"]
