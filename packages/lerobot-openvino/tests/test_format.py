"""The contract of kinds of files; what a file holds; what cannot be converted."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import openvino
import pytest
import torch

from lerobot.core.errors import LeRobotError
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


def test_what_it_lacks_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node("Unheard", ["observation.state"], ["action"], domain="of.nobody")
    ports = [helper.make_tensor_value_info(name, floats, [1, 3]) for name in (*node.input, *node.output)]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("of.nobody", 1)]
    model = helper.make_model(helper.make_graph([node], "strange", ports[:1], ports[1:]), opset_imports=opsets)
    monkeypatch.setattr("lerobot.openvino.format.make_model", lambda *_: model)
    root = logging.getLogger()
    before = root.level, list(root.filters), list(root.handlers)
    with pytest.raises(LeRobotError) as caught:
        export(small_trained(), tmp_path, formats=[OpenVinoConfig()])
    assert before == (root.level, root.filters, root.handlers)
    said = "No conversion rule found for operations: of.nobody.Unheard"
    assert str(caught.value) == f"OpenVINO cannot convert it: {said}"
    assert list(tmp_path.iterdir()) == []


class TestContractOfHalfWeights(ExportFormatContract):
    form = OpenVinoConfig(dtype="float16")
