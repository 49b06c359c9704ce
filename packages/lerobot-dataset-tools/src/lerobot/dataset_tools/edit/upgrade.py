"""`info.json` of a v2.x dataset as v3.0."""

from lerobot.datasets.format import layout
from lerobot.datasets.format.features import VIDEO
from lerobot.datasets.format.info import Info

_LEGACY_ENTRIES = ("total_chunks", "total_videos")


def upgraded_info(info: Info) -> Info:
    """A copy in the v3.0 layout; a v3.x one keeps everything but a layout of its own and totals of v2.x.

    Args:
        info: of a dataset of any version.
    """
    upgraded = info.model_copy(deep=True)
    document = upgraded.model_dump()
    document |= {"codebase_version": layout.CODEBASE_VERSION, "data_path": layout.DATA_PATH}
    document["video_path"] = layout.VIDEO_PATH if info.video_keys else None
    for entry in _LEGACY_ENTRIES:
        document.pop(entry, None)
    if info.is_legacy:
        rate = int(info.fps) if float(info.fps).is_integer() else info.fps
        document["fps"] = rate
        for feature in document["features"].values():
            if feature["dtype"] != VIDEO:
                feature["fps"] = rate
    return Info.model_validate(document)
