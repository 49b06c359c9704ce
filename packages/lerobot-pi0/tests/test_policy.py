"""The contract of policies, and what is particular to the pi models that act by flow matching."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_pi import tiny_settings

from lerobot.pi0.config import PI0Config
from lerobot.policies.testing import TrainablePolicyContract


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(rows, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": torch.randn(rows, 5, generator=generator),
        "observation.language.tokens": torch.randint(5, 290, (rows, 7), generator=generator),
        "observation.language.attention_mask": mask,
        "action": torch.randn(rows, 6, 4, generator=generator),
    }


class TestContractOfPI0(TrainablePolicyContract):
    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self, tokenizer: Path) -> PI0Config:
        return PI0Config(**tiny_settings(tokenizer))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {**super().observation(batch), "task": ["pick up the cube"] * len(batch["action"])}
