"""Files of TorchScript."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from lerobot.core.errors import LeRobotError
from lerobot.policies.export.format import METADATA, ExportFormat
from lerobot.policies.export.parity import Observations, Run
from lerobot.policies.export.program import Trace, computed_in
from lerobot.policies.formats import TorchScriptConfig


class TorchScriptFormat(ExportFormat):
    """See `TorchScriptConfig`."""

    label = "the TorchScript file"
    config: TorchScriptConfig

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the program."""
        with computed_in(trace.precision):
            save_script(trace.module, trace.examples, description, path)

    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Run it by torch."""
        return load_script(path, names)


def save_script(
    module: torch.nn.Module, examples: tuple[torch.Tensor, ...], description: Mapping[str, Any], path: Path
) -> None:
    """Trace a module by TorchScript, freeze it and write it.

    Args:
        module: takes the examples; not changed.
        examples: tensors.
        description: JSON values.
        path: of the file.

    Raises:
        LeRobotError: it cannot be traced.
    """
    with torch.no_grad(), _quiet():
        try:
            # Compared with the policy by whoever asked for the file, on observations of its own.
            traced = torch.jit.freeze(_traced(module, examples))
        except Exception as error:  # tracing runs the policy, where any of its code can fail
            raise LeRobotError(
                f"TorchScript cannot trace it: {type(error).__name__}: {error}".splitlines()[0]
            ) from error
        torch.jit.save(traced, str(path), _extra_files={METADATA: json.dumps(description)})


def load_script(path: Path, names: Sequence[str]) -> Run:
    """Make a function of a file of TorchScript; the names are those of its inputs, in order."""
    with _quiet():
        module = torch.jit.load(str(path))  # type: ignore[no-untyped-call] # of torch

    def run(observations: Observations) -> Any:
        with torch.inference_mode():
            return module(*(torch.from_numpy(observations[name]) for name in names)).numpy()

    return run


def _traced(module: torch.nn.Module, examples: tuple[torch.Tensor, ...]) -> torch.nn.Module:
    made: torch.nn.Module = torch.jit.trace(module, examples, check_trace=False)  # type: ignore[no-untyped-call] # of torch
    return made.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # Said of every size that is read; whether another batch size works is found out by running the file.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined] # of torch
        # Sizes are tensors while it traces.
        warnings.filterwarnings("ignore", message="To copy construct from a tensor", category=UserWarning)
        # torch.export is where torch wants all to go; LibTorch programs that load this are still there.
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
        yield
