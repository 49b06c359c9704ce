"""Where a saved policy is, and what its files say: a folder, or a repository on the Hub."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lerobot.core.config.base import plugin_class
from lerobot.core.config.policies import EXPORT
from lerobot.core.errors import CheckpointError, ConfigError, ConfigProblem, PluginError
from lerobot.core.json_file import read_json
from lerobot.core.paths import user_path
from lerobot.policies.config import PreTrainedConfig

CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
PARTS, INDEX = "shards", "shards.json"
"""Folder of weights that processes wrote together, and its table of files; see `lerobot.policies.checkpoint.shards`."""
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREPROCESSOR, POSTPROCESSOR = "policy_preprocessor", "policy_postprocessor"

_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")
"""Without an owner there are no policies on the Hub, so that asking there would only be slow."""
_PATIENCE_S = 10
"""Longest wait for a first answer of the Hub."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved policy.

    Attributes:
        source: what the user named: a folder or a repository.
        folder: the folder; None for a repository.
        revision: branch, tag or commit of the repository; None for its main branch.
    """

    source: str
    folder: Path | None
    revision: str | None = None

    @classmethod
    def at(cls, source: str | Path, revision: str | None = None) -> "Checkpoint":
        """Find a saved policy.

        Args:
            source: folder of a policy, or of a training checkpoint that contains one; or a Hub repository.
            revision: branch, tag or commit of the repository.

        Raises:
            CheckpointError: there is no such folder, and the name cannot be a repository's.
        """
        path = user_path(source)
        if path.is_dir():
            inner = path / "pretrained_model"
            return cls(str(source), inner if not (path / CONFIG).exists() and inner.is_dir() else path)
        if path.exists() or not _REPOSITORY.fullmatch(str(source)):
            what = "is no folder" if path.exists() else "does not exist"
            raise CheckpointError(
                f"{source} {what}", expected=f"a folder with {CONFIG}, or a Hub repository owner/name"
            )
        return cls(str(source), None, revision)

    def __str__(self) -> str:
        """Its place, for messages."""
        return str(self.folder or self.source)

    def find(self, name: str) -> Path | None:
        """Give the path of one of its files, downloaded if need be; None if there is none.

        Raises:
            CheckpointError: the Hub cannot be asked, or has no such repository.
        """
        if self.folder is not None:
            path = self.folder / name
            return path if path.exists() else None
        return _download(self.source, name, self.revision)

    def file(self, name: str) -> Path:
        """Give the path of one of its files.

        Raises:
            CheckpointError: it has no such file.
        """
        if (path := self.find(name)) is None:
            newest = self.folder / "checkpoints/last/pretrained_model" if self.folder is not None else None
            if newest is not None and newest.is_dir():
                raise CheckpointError(f"{self} is the folder of a training run", hint=f"Its newest policy: {newest}")
            if self.folder is not None and (self.folder / EXPORT).is_file():
                raise CheckpointError(
                    f"{self} is an exported policy",
                    expected="a checkpoint, as the one it was exported from: only rollout, eval and check take exports",
                )
            raise CheckpointError(f"{self} has no {name}", hint="Copy or upload the whole folder again.")
        return path

    def weights_place(self) -> Path:
        """Give the file of its weights, or the folder of the parts of them where there is no such file.

        Raises:
            CheckpointError: it has neither.
        """
        parts = None if self.folder is None else self.folder / PARTS
        whole = self.folder is None or (self.folder / WEIGHTS).exists()
        return parts if parts is not None and not whole and parts.is_dir() else self.file(WEIGHTS)

    def weights(self) -> list[Path]:
        """Give the paths of the files that hold its weights: one, or those that an index names.

        Raises:
            CheckpointError: there are none, one is missing, or the index is damaged.
        """
        if self.find(WEIGHTS) is not None or (index := self.find(SHARDS)) is None:
            return [self.file(WEIGHTS)]
        try:
            names = sorted(set(read_json(index)["weight_map"].values()))
            if any(Path(name).name != name for name in names):
                raise ValueError(f"{', '.join(names)} are not all names of files beside it")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{index} names no files of weights: {error}") from error
        return [self.file(name) for name in names]

    def resolve(self, repository: str, name: str) -> Path:
        """Fetch a file or folder for a pipeline; see `lerobot.core.processors.Resolver`."""
        path = _download(repository, name, self.revision) or _download_folder(repository, name, self.revision)
        if path is None:
            raise FileNotFoundError(f"{repository} has no {name}")
        return path

    def fields(self) -> dict[str, Any]:
        """Read `config.json`.

        Raises:
            CheckpointError: there is none, it is damaged, or does not say which policy it is for.
        """
        path = self.file(CONFIG)
        try:
            fields = read_json(path)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} is not valid JSON: {error}") from error
        if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
            raise CheckpointError(f"{path} does not say which policy it is for", expected="an object with 'type'")
        # "Take the dataset's" is written as null by some versions and as {} by others.
        return {key: {} if value is None and key.endswith("put_features") else value for key, value in fields.items()}

    def config(self) -> PreTrainedConfig:
        """Read the configuration, and check it.

        Raises:
            CheckpointError: see `fields`; or nobody provides the policy.
            ConfigError: a field is unknown or wrong; one line each.
        """
        fields = self.fields()
        try:
            config_class = plugin_class(PreTrainedConfig, fields["type"])
        except PluginError as error:
            raise CheckpointError(f"{self}: {error.what}", expected=error.expected, hint=error.hint) from error
        try:
            config: PreTrainedConfig = config_class.model_validate(fields)
        except ValidationError as error:
            raise ConfigError([_problem(f"{self}/{CONFIG}", dict(each)) for each in error.errors()]) from error
        return config


def _problem(file: str, detail: dict[str, Any]) -> ConfigProblem:
    field = ".".join(str(part) for part in detail["loc"])
    expected = "a field of the policy" if detail["type"] == "extra_forbidden" else detail["msg"]
    return ConfigProblem(f"{file} {field}".rstrip(), str(detail["input"])[:80], expected)


def _download(repository: str, name: str, revision: str | None) -> Path | None:
    """Fetch one file from the Hub; None if the repository has none of that name."""
    from huggingface_hub import hf_hub_download  # only who names a repository pays for this import
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    with _hub_errors(repository, name):
        try:
            return Path(hf_hub_download(repository, name, revision=revision, local_files_only=not _hub_answers()))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            return None


def _download_folder(repository: str, name: str, revision: str | None) -> Path | None:
    """Fetch one folder from the Hub; None if the repository has none of that name."""
    from huggingface_hub import snapshot_download

    with _hub_errors(repository, name):
        place = snapshot_download(
            repository, revision=revision, allow_patterns=f"{name}/*", local_files_only=not _hub_answers()
        )
        folder = Path(place) / name
    return folder if folder.is_dir() else None


def _hub_answers() -> bool:
    """Whether the Hub is there, asked once: a download asks five times in half a minute before it looks at its copy."""
    from huggingface_hub import constants, get_session
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined] # of whichever client it uses

    try:
        get_session().head(constants.ENDPOINT, timeout=_PATIENCE_S)
    except (HTTPError, OSError):
        return False
    return True


@contextmanager
def _hub_errors(repository: str, name: str) -> Iterator[None]:
    """Turn what can go wrong on the way to the Hub into our errors."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        yield
    except LocalEntryNotFoundError as error:
        offline = constants.HF_HUB_OFFLINE
        raise CheckpointError(
            f"{name} of {repository} is not on this computer, and the Hub cannot be reached",
            hint=f"{'Unset HF_HUB_OFFLINE' if offline else 'Check the connection'}; "
            "if you meant a folder, it does not exist.",
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise CheckpointError(f"{name} of {repository} cannot be downloaded: {error}") from error


def saved_fields(path: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields that `--policy.path` stands for.

    Args:
        path: folder or repository.
        given: fields given beside it; `pretrained_revision` says which version of the repository.

    Returns:
        The saved fields; `pretrained_path` is where they come from.

    Raises:
        CheckpointError: there is no such policy, or it is damaged.
    """
    revision = given.get("pretrained_revision")
    checkpoint = Checkpoint.at(path, revision)
    return {**checkpoint.fields(), "pretrained_path": str(checkpoint), "pretrained_revision": revision}
