"""The kinds of files of this package keep their contract; int8 rounds the layers that are chosen, and no others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from lerobot.core.errors import LeRobotError
from lerobot.policies.export.files import export, export_files
from lerobot.policies.export.testing import ExportFormatContract, TwoLayerPolicy, small_trained
from lerobot.policies.formats import (
    ExportFormatConfig,
    OnnxConfig,
    OnnxInt8Config,
    TorchExportConfig,
    TorchInt8Config,
    TorchScriptConfig,
)


class TestTorchScript(ExportFormatContract):
    form = TorchScriptConfig()


class TestTorchInt8(ExportFormatContract):
    form = TorchInt8Config()


class TestOnnxInt8(ExportFormatContract):
    form = OnnxInt8Config()


class TestOnnxOfHalfWeights(ExportFormatContract):
    form = OnnxConfig(dtype="float16")


class TestTorchExportInHalfPrecision(ExportFormatContract):
    form = TorchExportConfig(dtype="bfloat16")


@pytest.mark.slow
class TestOnnxOfShortWeights(ExportFormatContract):
    form = OnnxConfig(dtype="bfloat16")


@pytest.mark.slow
class TestTorchScriptInHalfPrecision(ExportFormatContract):
    form = TorchScriptConfig(dtype="float16")


def products(path: Path) -> tuple[list[str], list[str]]:
    """Shapes of weights in 8 bits, and of matrices in 32."""
    weights = onnx.load(path).graph.initializer
    matrices = [each for each in weights if len(each.dims) == 2]
    return tuple(
        sorted(str(tuple(each.dims)) for each in matrices if each.data_type == kind)
        for kind in (onnx.TensorProto.INT8, onnx.TensorProto.FLOAT)
    )


def test_layers_are_chosen_by_name(tmp_path: Path) -> None:
    trained = small_trained()
    for options, expected in (
        ({}, (["(3, 32)", "(32, 4)"], [])),
        ({"keep": ["head"]}, (["(3, 32)"], ["(4, 32)"])),
        ({"only": ["h*"], "keep": ["hid*"]}, (["(32, 4)"], ["(32, 3)"])),
    ):
        export(trained, tmp_path, formats=[OnnxInt8Config(**options)])
        rounded, kept = products(tmp_path / "policy.int8.onnx")
        assert rounded == expected[0], options
        assert len(kept) == len(expected[1]), options


@pytest.mark.parametrize("kind", [OnnxInt8Config, TorchInt8Config])
def test_layers_of_a_loop_are_rounded(
    kind: type[ExportFormatConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As policies that denoise have them: each layer twice, whose weight is asked for its type."""

    def looped(policy: Any, batch: Mapping[str, Any]) -> torch.Tensor:
        state = batch["observation.state"]
        for _ in range(2):
            found = policy.head(policy.hidden(state.to(policy.hidden.weight.dtype)).relu())
            state = state + found[:, :3]
        return found.view(-1, 2, 2)

    monkeypatch.setattr(TwoLayerPolicy, "exported_chunk", looped)
    ((path, report),) = export_files(small_trained(), tmp_path, formats=[kind()]).items()
    assert 0 < report.difference.relative < 0.02
    if kind is OnnxInt8Config:
        assert products(path) == (["(3, 32)", "(32, 4)"], [])


@pytest.mark.parametrize("kind", [OnnxInt8Config, TorchInt8Config])
def test_a_pattern_that_fits_no_layer_is_refused(kind: type[ExportFormatConfig], tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match="is called 'heda'") as caught:
        export(small_trained(), tmp_path, formats=[kind(keep=["heda"])])
    assert "hidden, head" in caught.value.expected
    with pytest.raises(LeRobotError, match="no layer is left"):
        export(small_trained(), tmp_path, formats=[kind(keep=["*"])])
    assert list(tmp_path.iterdir()) == []


def test_max_error_is_in_the_units_of_the_robot(tmp_path: Path) -> None:
    trained = small_trained()
    ((path, report),) = export_files(trained, tmp_path, formats=[TorchInt8Config()]).items()
    worst = report.difference.worst
    assert worst[0] > worst[1] > 0, "the first number of an action has the larger unit"
    path.unlink()
    with pytest.raises(LeRobotError, match="differs from the policy") as caught:
        export(trained, tmp_path, formats=[TorchInt8Config()], max_error=float(worst.max()) / 2)
    assert "in the robot's units" in caught.value.expected
    assert not path.exists()
    export(trained, tmp_path, formats=[TorchInt8Config()], max_error=float(worst.max()))


def test_float32_is_exact_whatever_error_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = small_trained()
    monkeypatch.setattr(type(trained.policy), "exported_chunk", lambda self, batch: torch.zeros(len(batch), 2, 2))
    with pytest.raises(LeRobotError, match=r"gives actions|differs"):
        export(trained, tmp_path, formats=[TorchScriptConfig()], max_error=1e6)
