"""The contract of kinds of files; what a file holds; what cannot be converted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino
import pytest
import torch

from lerobot.openvino.config import OpenVinoConfig
from lerobot.policies.export.files import export
from lerobot.policies.export.gains import Report
from lerobot.policies.export.testing import ExportFormatContract, TwoLayerPolicy, small_trained


class TestContract(ExportFormatContract):
    form = OpenVinoConfig()

    def test_the_description_is_inside(self, exported: tuple[Path, Report]) -> None:
        path, report = exported
        assert report.difference.relative < 1e-6
        inside = openvino.Core().read_model(path).get_rt_info("metadata").astype(str)
        beside = json.loads((path.parent / "policy.json").read_text())
        assert json.loads(inside) == {key: beside[key] for key in beside if key not in {"files", "differences"}}


def test_whole_numbers_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As networks with attention count their tokens: a difference of whole numbers."""

    def counted(policy: Any, batch: Mapping[str, Any]) -> torch.Tensor:
        state = batch["observation.state"]
        places = (state > 0).long().cumsum(1) - 1
        found: torch.Tensor = policy.head(policy.hidden(state + places).relu())
        return found.view(-1, 2, 2)

    monkeypatch.setattr(TwoLayerPolicy, "exported_chunk", counted)
    assert max(export(small_trained(), tmp_path, formats=[OpenVinoConfig()]).values()) < 1e-6


class TestContractOfHalfWeights(ExportFormatContract):
    form = OpenVinoConfig(dtype="float16")
