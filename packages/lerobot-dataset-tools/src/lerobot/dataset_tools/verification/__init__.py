"""What is wrong with a dataset, one finding at a time."""

from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.checks.findings import Finding

__all__ = ["Finding", "verify_dataset"]
