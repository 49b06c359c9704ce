"""The dataset card: the `README.md` that the Hub shows and searches."""

import json
from collections.abc import Sequence
from typing import Any

from huggingface_hub import DatasetCardData

from lerobot.core.words import counted
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.layout import INFO_PATH

TAG = "LeRobot"
"""By which the Hub finds datasets of this format."""
_EXAMPLE = 'from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\ndataset = LeRobotDataset("{}")'
_BODY = ("description", "homepage", "paper", "citation")


def dataset_card(
    repo_id: str, info: Info, *, tags: Sequence[str] = (), license_name: str | None = "apache-2.0", **details: Any
) -> str:
    """Text of a card.

    Args:
        repo_id: name of the dataset.
        info: its declarations.
        tags: beside `LeRobot`.
        license_name: identifier of the licence.
        **details: `description`, `homepage`, `paper` and `citation` go into the text, anything else into the front
            matter, such as `language` or `size_categories`.
    """
    front = DatasetCardData(
        license=license_name,
        task_categories=["robotics"],
        tags=list(dict.fromkeys([TAG, *tags])),
        configs=[{"config_name": "default", "data_files": "data/*/*.parquet"}],
        **{key: value for key, value in details.items() if key not in _BODY},
    )
    text = {key: str(details.get(key) or "") for key in _BODY}
    links = [f"- {name.capitalize()}: {text[name]}" for name in ("homepage", "paper") if text[name]]
    seconds = info.total_frames / info.fps
    structure = json.dumps(json.loads(info.to_json()), indent=2, ensure_ascii=False)
    parts = [
        f"---\n{front.to_yaml()}\n---",
        f"# {repo_id}",
        text["description"],
        f"{counted(info.total_episodes, 'episode')} of {info.robot_type or 'a robot'}, "
        f"{counted(info.total_frames, 'frame')} at {info.fps:g} Hz, {seconds / 60:.1f} minutes, in the "
        f"[LeRobot](https://github.com/huggingface/lerobot) format {info.codebase_version}.",
        "\n".join(links),
        f"```python\n{_EXAMPLE.format(repo_id)}\n```",
        f"## {INFO_PATH}\n\n```json\n{structure}\n```",
        f"## Citation\n\n```bibtex\n{text['citation']}\n```" if text["citation"] else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
