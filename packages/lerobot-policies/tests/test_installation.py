import pytest
import torch

from lerobot.core.installation import Fact
from lerobot.policies.installation import examine_installation


def examined() -> Fact:
    facts: list[Fact] = []
    examine_installation(facts.append)
    (fact,) = facts
    return fact


@pytest.mark.parametrize(("built", "advised"), [("13.0", True), (None, False)])
def test_a_gpu_that_torch_could_use_but_does_not_find_is_worth_a_word(monkeypatch, built, advised) -> None:
    monkeypatch.setattr("lerobot.policies.devices._available", lambda device: device.type == "cpu")
    monkeypatch.setattr(torch.version, "cuda", built)
    fact = examined()
    assert fact.found.startswith(f"none: torch {torch.__version__}")
    assert ("driver" in fact.advice) is advised


def test_the_gpus_are_named(monkeypatch) -> None:
    monkeypatch.setattr("lerobot.policies.devices._available", lambda device: device.type in {"cuda", "cpu"})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    assert examined() == Fact("accelerator", f"GPU 0, GPU 1 (torch {torch.__version__})")
