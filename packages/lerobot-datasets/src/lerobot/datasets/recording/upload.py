"""A finished recording on its way to the Hugging Face Hub."""

from collections.abc import Sequence
from pathlib import Path

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.layout import CODEBASE_VERSION

CARD = """---
{{ card_data }}
---

# {{ name }}

A LeRobot dataset, recorded with `lerobot record`.
"""


def upload(root: Path, repo_id: str, *, private: bool | None, tags: Sequence[str]) -> str:
    """Upload a dataset folder and mark it with the version of its format, which readers look for.

    Args:
        root: the dataset's folder.
        repo_id: where to, `owner/name`.
        private: whether only its owner may see it; the owner's default if None.
        tags: further tags of the dataset card, beside `LeRobot`.

    Returns:
        Its address.

    Raises:
        DatasetError: the Hub could not be reached or refused it; the folder is unharmed.
    """
    from huggingface_hub import DatasetCard, DatasetCardData, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    card = DatasetCard.from_template(
        DatasetCardData(task_categories=["robotics"], tags=["LeRobot", *tags]),
        template_str=CARD,
        name=repo_id,
    )
    hub = HfApi()
    try:
        address = str(hub.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True))
        hub.upload_folder(repo_id=repo_id, repo_type="dataset", folder_path=root, commit_message="Upload recording")
        card.push_to_hub(repo_id)
        hub.create_tag(repo_id, tag=CODEBASE_VERSION, repo_type="dataset", exist_ok=True)
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise DatasetError(
            f"{root} could not be uploaded to {repo_id}: {str(error).splitlines()[0]}",
            hint="The dataset is complete on this computer. Log in with `hf auth login`, then upload it.",
        ) from error
    return address
