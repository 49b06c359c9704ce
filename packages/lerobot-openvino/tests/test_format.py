"""The contract of kinds of files; what a file holds; what cannot be converted."""

import json
from pathlib import Path

import openvino

from lerobot.openvino.config import OpenVinoConfig
from lerobot.policies.export.gains import Report
from lerobot.policies.export.testing import ExportFormatContract


class TestContract(ExportFormatContract):
    form = OpenVinoConfig()

    def test_the_description_is_inside(self, exported: tuple[Path, Report]) -> None:
        path, report = exported
        assert report.difference.relative < 1e-6
        inside = openvino.Core().read_model(path).get_rt_info("metadata").astype(str)
        beside = json.loads((path.parent / "policy.json").read_text())
        assert json.loads(inside) == {key: beside[key] for key in beside if key not in {"files", "differences"}}


class TestContractOfHalfWeights(ExportFormatContract):
    form = OpenVinoConfig(dtype="float16")
