"""Putting a trained policy on the Hub."""

import logging
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
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi()
    try:
        url = api.create_repo(str(config.repo_id), private=config.private, exist_ok=True)
        api.upload_file(
            path_or_fileobj=model_card(config, dataset).encode(), path_in_repo="README.md", repo_id=url.repo_id
        )
        api.upload_folder(
            repo_id=url.repo_id, folder_path=folder, allow_patterns=_FILES, commit_message="Upload policy"
        )
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        raise LeRobotError(
            f"the policy was not uploaded to {config.repo_id}: {str(error).splitlines()[0]}",
            expected="a token that may write: hf auth login",
            hint=f"The policy is safe. Upload it later: hf upload {config.repo_id} {folder}",
        ) from error
    logger.info("published: %s", url)


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
