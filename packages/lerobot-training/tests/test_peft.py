"""Adapters: learned beside a base that stays, saved in peft's files, loaded by the loader of all policies."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors

peft = pytest.importorskip("peft")

Train, Resume, States = Callable[..., Path], Callable[..., None], Callable[[Path], dict[str, bytes]]

LORA = (
    "--peft.r=2",
    "--peft.lora_alpha=4",
    '--peft.target_modules=["net.0"]',
    '--peft.full_training_modules=["net.3"]',
)


@pytest.fixture
def base(train: Train, tmp_path: Path) -> Path:
    return train(tmp_path / "base", "--steps=3") / "checkpoints/last/pretrained_model"


@pytest.fixture
def train_adapter(arguments: Callable[..., list[str]], base: Path) -> Train:
    from lerobot.core.config import load
    from lerobot.training.command import train as run
    from lerobot.training.commands.train import TrainPipelineConfig

    def call(output: Path, *more: str) -> Path:
        flags = [flag for flag in arguments(output) if not flag.startswith("--policy.type")]
        merged = {flag.partition("=")[0]: flag for flag in [*flags, f"--policy.path={base}", *LORA, "--steps=6", *more]}
        asked = list(merged.values())
        assert run(load(TrainPipelineConfig, asked).config) == 0
        return output

    return call


def test_the_adapter_alone_is_learned_and_saved(train_adapter: Train, base: Path, tmp_path: Path) -> None:
    before = (base / "model.safetensors").read_bytes()
    folder = train_adapter(tmp_path / "run") / "checkpoints/last/pretrained_model"
    assert (base / "model.safetensors").read_bytes() == before
    assert not (folder / "model.safetensors").exists()
    weights = load_file(folder / "adapter_model.safetensors")
    names = ("net.0.lora_A.weight", "net.0.lora_B.weight", "net.3.weight", "net.3.bias")
    assert set(weights) == {f"base_model.model.{name}" for name in names}
    saved = json.loads((folder / "adapter_config.json").read_text())
    assert (saved["r"], saved["lora_alpha"], saved["peft_type"]) == (2, 4, "LORA")
    assert Path(saved["base_model_name_or_path"]).parent.name == "000003"
    assert json.loads((folder / "config.json").read_text())["use_peft"] is True


def test_base_and_adapter_are_the_sum_of_their_products(train_adapter: Train, base: Path, tmp_path: Path) -> None:
    """Computed from the files: W + alpha / r * B A."""
    folder = train_adapter(tmp_path / "run") / "checkpoints/last/pretrained_model"
    own = load_file(folder / "adapter_model.safetensors")
    weights = load_file(base / "model.safetensors")
    trained = PolicyWithProcessors.from_pretrained(folder)
    batch = trained.processors.preprocessor({"observation.state": torch.tensor([[1.0, -1.0, 0.5]])})
    low, high = (own[f"base_model.model.net.0.lora_{side}.weight"] for side in "AB")
    assert high.abs().max() > 0
    adapted = weights["net.0.weight"] + 4 / 2 * high @ low
    hidden = torch.relu(batch["observation.state"] @ adapted.T + weights["net.0.bias"])
    expected = hidden @ own["base_model.model.net.3.weight"].T + own["base_model.model.net.3.bias"]
    found = trained.policy.predict_action_chunk(batch)
    assert torch.allclose(found.flatten(), expected.flatten(), atol=1e-6)


def test_an_adapted_run_goes_on_to_the_same_bits(
    train_adapter: Train, resume: Resume, states: States, tmp_path: Path
) -> None:
    run = train_adapter(tmp_path / "run", "--save_freq=4")
    whole = states(run / "checkpoints/000006")
    resume(run / "checkpoints/000004")
    assert states(run / "checkpoints/000006") == whole
    assert "pretrained_model/adapter_model.safetensors" in whole


@pytest.mark.parametrize("damage", ["lacks", "holds weights the policy does not have", "does not exist"])
def test_an_adapter_that_does_not_fit_is_refused(train_adapter: Train, base: Path, tmp_path: Path, damage: str) -> None:
    folder = train_adapter(tmp_path / "run") / "checkpoints/last/pretrained_model"
    path = folder / "adapter_model.safetensors"
    weights = load_file(path)
    if damage == "lacks":
        del weights["base_model.model.net.0.lora_B.weight"]
    elif damage == "does not exist":
        base.rename(tmp_path / "elsewhere")
    else:
        weights["base_model.model.net.9.weight"] = torch.zeros(1)
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=damage):
        PolicyWithProcessors.from_pretrained(folder)


def test_adapters_need_a_trained_policy_and_modules_it_has(train: Train, train_adapter: Train, tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match="there is none") as caught:
        train(tmp_path / "new", *LORA)
    assert "--policy.path" in caught.value.expected
    with pytest.raises(LeRobotError, match="cannot be adapted"):
        train_adapter(tmp_path / "run", '--peft.target_modules=["nowhere"]')
    for flag in ("--peft.target_modules=net(", "--peft.init_type=nothing"):
        with pytest.raises(LeRobotError, match="cannot be adapted"):
            train_adapter(tmp_path / "run", flag)
    adapter = train_adapter(tmp_path / "adapter") / "checkpoints/last/pretrained_model"
    with pytest.raises(LeRobotError, match="is an adapter itself"):
        train_adapter(tmp_path / "twice", f"--policy.path={adapter}")
