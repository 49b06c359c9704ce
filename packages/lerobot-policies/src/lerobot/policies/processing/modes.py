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
