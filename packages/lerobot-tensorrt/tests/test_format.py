"""The ONNX that TensorRT takes, tried by ONNX Runtime: no machine of the tests has a GPU to build an engine for."""

import sys
from pathlib import Path

import onnx
import pytest
from onnx import helper

from lerobot.core.errors import LeRobotError
from lerobot.policies.export.files import export
from lerobot.policies.export.gains import Report
from lerobot.policies.export.testing import ExportFormatContract, small_trained
from lerobot.tensorrt.config import TensorRtConfig
from lerobot.tensorrt.model import require_parsable


class TestContract(ExportFormatContract):
    form = TensorRtConfig(output="onnx")

    def test_the_file_is_what_the_parser_takes(self, exported: tuple[Path, Report]) -> None:
        model = onnx.load(exported[0])
        onnx.checker.check_model(model)
        assert {each.domain: each.version for each in model.opset_import} == {"": 18}
        sizes = [value.type.tensor_type.shape.dim[0] for value in (*model.graph.input, *model.graph.output)]
        assert [each.dim_value for each in sizes] == [1, 1]


class TestContractOfBatches(ExportFormatContract):
    form = TensorRtConfig(output="onnx", max_batch=4)


def test_an_engine_needs_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(LeRobotError, match="needs 'tensorrt', which is not installed") as caught:
        TensorRtConfig().build().require()
    assert "uv pip install './packages/lerobot-tensorrt[engine]'" in caught.value.hint
    with pytest.raises(LeRobotError, match="not installed"):
        export(small_trained(), tmp_path / "out", formats=[TensorRtConfig()])
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "domain", "words"),
    [
        (onnx.TensorProto.DOUBLE, "", "TensorRT has no float64, and Identity 'it'"),
        (onnx.TensorProto.FLOAT, "com.microsoft", "TensorRT does not know com.microsoft.Identity"),
    ],
)
def test_what_the_parser_does_not_take_is_named(kind: int, domain: str, words: str) -> None:
    given, made = (helper.make_tensor_value_info(name, kind, [1]) for name in ("given", "made"))
    node = helper.make_node("Identity", ["given"], ["made"], name="it", domain=domain)
    opsets = [helper.make_opsetid(name, version) for name, version in (("", 18), ("com.microsoft", 1))]
    model = helper.make_model(helper.make_graph([node], "graph", [given], [made]), opset_imports=opsets)
    with pytest.raises(LeRobotError, match=words):
        require_parsable(model)


def test_engines_have_a_name_of_their_own() -> None:
    assert TensorRtConfig().file_name == "policy.engine"
    assert TensorRtConfig(output="onnx").file_name == "policy.tensorrt.onnx"
