"""Putting a trained policy on the Hub."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lerobot.core.errors import LeRobotError
from lerobot.policies.config import PreTrainedConfig

logger = logging.getLogger(__name__)

_FILES = ["*.safetensors", "*.json", "*.yaml", "*.md"]


def publish(folder: Path, config: PreTrainedConfig, dataset: str) -> None:
    """Upload a policy with a card; the folder stays as it is.

    Args:
        folder: `pretrained_model` of a checkpoint.
        config: of the policy; `repo_id` says where to.
        dataset: name of what it was trained on.

    Raises:
        LeRobotError: the Hub cannot be reached, or refuses; the policy is safe on this computer.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    with uploading("policy", folder, str(config.repo_id)):
        url = api.create_repo(str(config.repo_id), private=config.private, exist_ok=True)
        api.upload_file(
            path_or_fileobj=model_card(config, dataset).encode(), path_in_repo="README.md", repo_id=url.repo_id
        )
        api.upload_folder(
            repo_id=url.repo_id, folder_path=folder, allow_patterns=_FILES, commit_message="Upload policy"
        )
    logger.info("published: %s", url)


@contextmanager
def uploading(what: str, folder: Path, repository: str) -> Iterator[None]:
    """Turn what can go wrong on the way to the Hub into our error.

    Args:
        what: is uploaded, for messages.
        folder: it lies in.
        repository: it goes to.

    Raises:
        LeRobotError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        raise LeRobotError(
            f"the {what} was not uploaded to {repository}: {str(error).splitlines()[0]}",
            expected="a token that may write: hf auth login",
            hint=f"The {what} is safe. Upload it later: hf upload {repository} {folder}",
        ) from error


def model_card(config: PreTrainedConfig, dataset: str) -> str:
    """Text of a policy's `README.md`."""
    tags = dict.fromkeys(["robotics", "lerobot", config.type, *(config.tags or [])])
    return "\n".join(
        [
            "---",
            f"license: {config.license or 'apache-2.0'}",
            "library_name: lerobot",
            "pipeline_tag: robotics",
            f"model_name: {config.type}",
            f"datasets: {dataset}",
            *([f"base_model: {config.pretrained_path}"] if config.pretrained_path else []),
            "tags:",
            *(f"- {tag}" for tag in tags),
            "---",
            "",
            f"# {config.repo_id}",
            "",
            f"A `{config.type}` policy trained on [{dataset}](https://huggingface.co/datasets/{dataset}).",
            "",
            "```",
            f"lerobot eval --policy.path={config.repo_id} --env.type=sim",
            "```",
            "",
        ]
    )
