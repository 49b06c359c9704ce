"""Import paths of before: each gives what it gave, with a notice."""

import importlib

import pytest

NAMES = {
    "acting": "ActionQueue",
    "adapters": "make_adapter",
    "checkpoint": "Checkpoint",
    "commands.rollout": "RolloutConfig",
    "describing": "describe_robot",
    "episodic": "EpisodicSource",
    "exporting.description": "describe",
    "exporting.export": "export",
    "exporting.parity": "actions_of",
    "exporting.program": "Exportable",
    "legacy": "statistics_among",
    "making": "make_policy",
    "observations": "flatten",
    "pipelines": "make_processors",
    "preflight": "check_policy",
    "processing.batching": "ToBatchProcessorStep",
    "processing.pictures": "ImageCropResizeProcessorStep",
    "rollout": "rollout",
    "saved_tensors": "tensor_names",
    "source": "PolicySource",
    "weights": "load_weights",
}
ROOMS = {"checkpoint", "preflight"}
"""Modules that are folders now, and hand on what they held."""


@pytest.mark.parametrize(("old", "name"), NAMES.items(), ids=NAMES)
def test_an_old_name_gives_what_it_gave(old: str, name: str) -> None:
    module = importlib.import_module(f"lerobot.policies.{old}")
    if old in ROOMS:
        assert getattr(module, name).__name__ == name
        return
    with pytest.warns(FutureWarning, match=rf"lerobot\.policies\.{old} is now lerobot\.\w+"):
        assert getattr(module, name).__name__ == name
