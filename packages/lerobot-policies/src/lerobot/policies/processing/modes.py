"""What each mode of normalisation needs to know."""

from lerobot.policies.features import NormalizationMode

NEEDED: dict[NormalizationMode, tuple[str, ...]] = {
    NormalizationMode.MEAN_STD: ("mean", "std"),
    NormalizationMode.MIN_MAX: ("min", "max"),
    NormalizationMode.QUANTILES: ("q01", "q99"),
    NormalizationMode.QUANTILE10: ("q10", "q90"),
    NormalizationMode.IDENTITY: (),
}
"""Names of the statistics: the first is subtracted, the second gives the width."""

FINE_TUNE = (
    "The checkpoint was made to be fine-tuned, by the statistics of your dataset: "
    "lerobot train --policy.path=CHECKPOINT --dataset.repo_id=NAME"
)
"""What helps where a checkpoint has statistics of features that its policy does not have."""
