"""Files of `torch.export`."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lerobot.policies.export.format import METADATA, ExportFormat
from lerobot.policies.export.parity import Observations, Run
from lerobot.policies.export.program import Trace
from lerobot.policies.formats import TorchExportConfig


class TorchExportFormat(ExportFormat):
    """See `TorchExportConfig`."""

    label = "the torch.export file"
    config: TorchExportConfig

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the program."""
        with path.open("wb") as stream, warnings.catch_warnings():
            # Said of constants that are not contiguous; whether the file holds what it must is checked by running it.
            warnings.filterwarnings("ignore", "No complete tensor found")
            torch.export.save(trace.program, stream, extra_files={METADATA: json.dumps(description)})

    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Run it by torch."""
        with path.open("rb") as stream:
            module = torch.export.load(stream).module()

        def run(observations: Observations) -> Any:
            with torch.inference_mode():
                return module(*(torch.from_numpy(observations[name]) for name in names)).numpy()

        return run
