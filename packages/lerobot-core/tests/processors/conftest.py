"""A small registered step with state, standing in for normalisers, and a folder with real files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.processors import ObservationProcessorStep
from lerobot.core.registry import registry

SHARED = Path(__file__).resolve().parents[5] / "shared"


class ScaleConfig(ProcessorStepConfig):
    target: ClassVar[str] = f"{__name__}:ScaleStep"

    type: str = "scale_processor"
    eps: float = 1e-8
    vocabulary: str | None = None


class ScaleStep(ObservationProcessorStep):
    """Multiplies `state` by a saved array; writes a vocabulary file as its artifact."""

    def __init__(self, config: ScaleConfig, *, factor: Any = None) -> None:
        super().__init__(config)
        self.factor = factor

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        return observation | {"state": observation["state"] * self.factor}

    def state_dict(self) -> dict[str, Any]:
        return {} if self.factor is None else {"state.factor": self.factor}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.factor = state["state.factor"]

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        if self.config.vocabulary is None:
            return {}
        (directory / "vocabulary").mkdir()
        source = Path(self.config.vocabulary)
        text = source.joinpath("words.txt").read_text() if source.is_dir() else self.config.vocabulary
        (directory / "vocabulary" / "words.txt").write_text(text)
        return {"vocabulary": "vocabulary"}


@pytest.fixture
def scale() -> Iterator[type[ScaleConfig]]:
    with registry.temporary():
        registry.register("processor", "scale_processor", ScaleConfig)
        yield ScaleConfig


@pytest.fixture
def scaled(scale: type[ScaleConfig]) -> Any:
    """A stateful step with the factor [2, 3], float32."""
    return scale().build(factor=np.array([2, 3], dtype=np.float32))


@pytest.fixture
def policy_configs() -> Path:
    folder = SHARED / "data" / "policy_configs"
    if not folder.is_dir():
        pytest.skip(f"real processor files are not here: {folder}")
    return folder
