"""State of torch steps: core carries it without importing torch itself."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from lerobot.core.errors import CheckpointError
from lerobot.core.processors import DataProcessorPipeline

torch = pytest.importorskip("torch", reason="torch is not among the requirements of lerobot-core")


def test_torch_state_round_trips_in_its_dtype(scale, tmp_path) -> None:
    base = torch.arange(6, dtype=torch.bfloat16).reshape(2, 3)
    step = scale().build(factor=base.T)
    DataProcessorPipeline([step], "p").save_pretrained(tmp_path)
    type(step).state_framework = "torch"
    try:
        loaded = DataProcessorPipeline.from_pretrained(tmp_path / "p.json")[0].factor
    finally:
        type(step).state_framework = "numpy"
    assert loaded.dtype == torch.bfloat16
    assert torch.equal(loaded, base.T)
    assert loaded.is_contiguous()


def test_the_file_is_the_same_whichever_framework_wrote_it(scale, tmp_path) -> None:
    values = [1.5, -2.0]
    for name, factor in (("n", np.array(values, np.float32)), ("t", torch.tensor(values))):
        DataProcessorPipeline([scale().build(factor=factor)], name).save_pretrained(tmp_path)
    n, t = (tmp_path / f"{name}_step_0_scale_processor.safetensors" for name in "nt")
    assert n.read_bytes() == t.read_bytes()
    assert load_file(t)["state.factor"].tolist() == values


def test_mixed_states_are_refused(scale, tmp_path) -> None:
    step = scale().build(factor=1)
    step.state_dict = lambda: {"a": torch.zeros(1), "b": np.zeros(1)}
    with pytest.raises(CheckpointError, match="numpy and torch"):
        DataProcessorPipeline([step], "p").save_pretrained(tmp_path)


def test_core_does_not_import_torch() -> None:
    code = "import sys, lerobot.core.processors, lerobot.core.processors.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
