"""How episodes ended, said or corrected by a person who looked at them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.added import AddedColumn
from lerobot.dataset_tools.edit.features import every_episode
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.format.features import INDEX_DTYPES, STRING
from lerobot.datasets.reader.source import open_source
from lerobot.datasets.record.rows import OUTCOME, UNKNOWN


def set_outcome(
    root: Path, outcome: str, episodes: Sequence[int] | None = None, new_root: Path | None = None
) -> EditResult:
    """Write how episodes ended into the column `outcome`, which is made if there is none: `unknown` for the others.

    Args:
        root: the dataset.
        outcome: such as `success`, `failure` or `unknown`.
        episodes: their numbers; all if None.
        new_root: see `carry_out`.

    Raises:
        DatasetError: an episode does not exist, or the outcome has no word; nothing was changed.
        FeatureMismatchError: the dataset has a column `outcome` that holds no texts.
    """
    if not outcome.strip():
        raise DatasetError("the outcome is empty", expected="success, failure or unknown")
    source = open_source(root)
    chosen = source.check_episodes(None if episodes is None else list(episodes))
    declared = source.info.features.get(OUTCOME)
    if declared is not None and declared["dtype"] != STRING:
        raise FeatureMismatchError(f"{root} has {OUTCOME} as {declared['dtype']}", keys=[OUTCOME], expected=STRING)
    starts, stops = source.episodes.column("dataset_from_index"), source.episodes.column("dataset_to_index")
    values = np.full(int(stops[-1]), UNKNOWN, object)
    info = upgraded_info(source.info)
    if declared is None:
        user = {key: feature for key, feature in info.features.items() if key not in INDEX_DTYPES}
        column = {OUTCOME: {"dtype": STRING, "shape": (1,), "names": None}}
        info.features = {**user, **column, **{key: info.features[key] for key in INDEX_DTYPES}}
    else:
        for file in source.files:
            values[file.start : file.stop] = source.read(file, [OUTCOME]).column(OUTCOME).to_pylist()
    for episode in chosen.tolist():
        values[starts[episode] : stops[episode]] = outcome
    return carry_out(every_episode(source, info, {OUTCOME: AddedColumn(values)}), root, new_root)
