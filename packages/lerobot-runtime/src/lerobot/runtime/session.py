"""The ONNX file of an export as a function: checked against its description before it computes anything."""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.runtime.config import ExportedPolicyConfig
from lerobot.runtime.description import Description, Input, Output, parsed

METADATA = "metadata"
"""Key of the description inside the file."""
_TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}
_SUFFIX = "ExecutionProvider"
_ERRORS_ONLY = 3
"""Of onnxruntime's logger: it warns at length of what it optimises."""
_AGAIN = "Copy the whole folder again, or export the policy again."


class Session:
    """Computes chunks.

    Args:
        config: which file, and what computes.
        description: what `policy.json` says.
        files: what it says of each file.

    Raises:
        CheckpointError: the file is missing, damaged, or not the one that is described.
        LeRobotError: what shall compute is not there.
    """

    def __init__(self, config: ExportedPolicyConfig, description: Description, files: Mapping[str, Any]) -> None:
        self._path = config.folder / config.file
        _require_intact(self._path, files.get(config.file), sorted(each.name for each in config.folder.glob("*.onnx")))
        providers = chosen_providers(config.providers, onnxruntime.get_available_providers())
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        if config.threads is not None:
            options.intra_op_num_threads = config.threads
        try:
            self._session = onnxruntime.InferenceSession(str(self._path), options, providers=providers)
        except Exception as error:  # its own classes, which have no base of their own
            raise CheckpointError(
                f"{self._path} cannot be loaded: {str(error).splitlines()[0][:200]}", hint=_AGAIN
            ) from error
        if (used := self._session.get_providers())[0] != providers[0]:
            raise LeRobotError(
                f"{providers[0]} was asked for, and ONNX Runtime computes with {used[0]}",
                hint="A library that it needs is missing, or has another version than this ONNX Runtime is made for.",
            )
        self._require_described(description)
        self._output = description.action.name

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Compute a chunk.

        Args:
            inputs: by name, `(1, ...)`.

        Returns:
            `(T, Da)`.
        """
        (chunk,) = self._session.run([self._output], dict(inputs))
        actions: NDArray[np.float32] = chunk[0]
        return actions

    def _require_described(self, description: Description) -> None:
        said = self._session.get_modelmeta().custom_metadata_map.get(METADATA)
        if said is None:
            raise CheckpointError(f"{self._path} does not say what it is", expected="a file that lerobot export wrote")
        try:
            inside = parsed(json.loads(said), f"what {self._path} says of itself")
        except ValueError as error:
            raise CheckpointError(f"what {self._path} says of itself is no JSON: {error}", hint=_AGAIN) from error
        for name in type(description).model_fields:
            here, there = getattr(inside, name), getattr(description, name)
            if here != there:
                raise CheckpointError(
                    f"{self._path} and its policy.json are of two exports: {name} is {_short(here)} in one and "
                    f"{_short(there)} in the other",
                    hint=_AGAIN,
                )
        ports = [*self._session.get_inputs(), *self._session.get_outputs()]
        found = {each.name: (_TYPES.get(each.type, each.type), tuple(each.shape[1:])) for each in ports}
        described: list[Input | Output] = [*description.inputs, description.action]
        wanted = {each.name: (each.dtype, each.shape) for each in described}
        if found != wanted:
            raise CheckpointError(
                f"{self._path} takes and gives {found}", expected=f"{wanted}, as it says", hint=_AGAIN
            )


def chosen_providers(asked: Sequence[str], available: Sequence[str]) -> list[str]:
    """Give the full names of what shall compute: `cuda` is `CUDAExecutionProvider`.

    Raises:
        LeRobotError: one is not there.
    """
    by_word = {name.removesuffix(_SUFFIX).lower(): name for name in available}
    chosen = []
    for each in asked:
        word = each.removesuffix(_SUFFIX).lower()
        if word not in by_word:
            near = difflib.get_close_matches(each, available, n=1)
            raise LeRobotError(
                f"this ONNX Runtime has no {each}",
                expected=f"of --policy.providers: {', '.join(available)}",
                hint=f"Did you mean {near[0]}?"
                if near
                else "Packages such as onnxruntime-gpu and onnxruntime-openvino have others, in place of onnxruntime.",
            )
        chosen.append(by_word[word])
    return chosen


def _require_intact(path: Path, said: Any, others: Sequence[str]) -> None:
    """Check that the file is there, and the one that was written, where its hash was."""
    if not path.is_file():
        there = f"the folder has {', '.join(others)}" if others else "the folder has no ONNX file"
        raise CheckpointError(
            f"{path} does not exist: {there}",
            hint="lerobot export --formats='[onnx]' writes policy.onnx; see --policy.file.",
        )
    wanted = said.get("sha256") if isinstance(said, dict) else None
    if wanted is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != wanted:
            raise CheckpointError(
                f"{path} is not the file that was exported: its SHA-256 is {found[:12]}...", hint=_AGAIN
            )


def _short(value: Any) -> str:
    return str(value)[:120]
