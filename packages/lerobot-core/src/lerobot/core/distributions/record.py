"""What was added without a part of what it asks for: remembered in the environment it was added to."""

import json
import sysconfig
from pathlib import Path
from typing import Any

from lerobot.core.distributions.ownership import PEER
from lerobot.core.distributions.source import is_extra, split
from lerobot.core.durable import replace_text
from lerobot.core.json_file import read_json


def left_out(distribution: Any) -> list[str]:
    """What a distribution asks for of huggingface/lerobot, as it writes it: `lerobot[feetech]>=0.6`."""
    declared = [line for line in distribution.metadata.get_all("Requires-Dist") or () if not is_extra(line)]
    return [line for line in declared if split(line)[0] == PEER]


def record_file() -> Path:
    """The file: `share/lerobot/added.json` of this environment."""
    return Path(sysconfig.get_path("data"), "share", "lerobot", "added.json")


def recorded() -> dict[str, dict[str, Any]]:
    """What was added and is remembered, by canonical name: its version, and the requirements that were left out."""
    file = record_file()
    return dict(read_json(file)) if file.exists() else {}


def remember(name: str, distribution: Any) -> None:
    """Note that a distribution was added without the peer."""
    entry = {"version": distribution.version, "left_out": left_out(distribution)}
    replace_text(record_file(), json.dumps({**recorded(), name: entry}, indent=2, sort_keys=True) + "\n")
