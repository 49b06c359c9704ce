"""In which of its layouts a copy of BridgeData V2 is: the name of its recipe."""

from collections.abc import Mapping
from typing import Any

from lerobot.dataset_tools.formats.rlds import FEATURES_FILE
from lerobot.recipes.places import Place

RLDS, EARLIER_RLDS, RAW = "bridge_dataset 1.0.0", "bridge 0.1.0", "raw"


def layout_of(address: str, storage: Mapping[str, Any]) -> str:
    """The layout that the description of the RLDS tells of; `raw` without one.

    Raises:
        DatasetError: the description cannot be read.
    """
    place = Place(address, storage)
    content = (place.parent() if ".tfrecord" in place.name else place).child(FEATURES_FILE).read_if_there()
    if content is None:
        return RAW
    return EARLIER_RLDS if b'"world_vector"' in content else RLDS
