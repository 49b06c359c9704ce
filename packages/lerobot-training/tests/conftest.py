"""A small dataset, and training of a tiny policy on it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.training.commands.train import TrainPipelineConfig

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five episodes of 13 to 17 frames, two tasks."""
    return write(tmp_path_factory.mktemp("data") / "moves", "state")


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a camera of 16 by 16 pixels, stored as video."""
    return write(tmp_path_factory.mktemp("data") / "seen", "state", camera="video")


@pytest.fixture(scope="session")
def written() -> Callable[..., Path]:
    """See `write`."""
    return write


def write(
    root: Path,
    state_name: str,
    *,
    camera: str | None = None,
    cameras: Sequence[str] = ("top",),
    scale: float = 2.0,
    fps: int = 10,
    shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((3,), (2,)),
) -> Path:
    """Five episodes whose actions are the scaled beginning of the state, and nothing random but by a fixed seed."""
    vector = {"dtype": "float32", "names": None}
    seen, done = shapes
    features: dict[str, Any] = {
        f"observation.{state_name}": {**vector, "shape": seen},
        "action": {**vector, "shape": done},
    }
    keys = [f"observation.images.{name}" for name in cameras] if camera is not None else []
    for key in keys:
        features[key] = {"dtype": camera, "shape": (16, 16, 3), "names": ["height", "width", "channels"]}
    made = LeRobotDataset.create("test/moves", fps, features, root)
    rng = np.random.default_rng(0)
    for episode in range(5):
        for _ in range(13 + episode):
            state = rng.normal(size=seen).astype(np.float32)
            action = np.resize(state, done) * np.float32(scale)
            frame = {f"observation.{state_name}": state, "action": action, "task": f"task {episode % 2}"}
            for key in keys:
                frame[key] = rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)
            made.add_frame(frame)
        made.save_episode()
    made.finalize()
    return root


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny policy under its name."""
    monkeypatch.syspath_prepend(str(HERE))
    from tiny_policy import TinyConfig

    with registry.temporary():
        registry.register("policy", "tiny", TinyConfig)
        yield


@pytest.fixture
def arguments(dataset: Path) -> Callable[..., list[str]]:
    """Flags of a short run; more may follow."""

    def make(output: Path, *more: str) -> list[str]:
        return [
            f"--dataset.root={dataset}",
            "--dataset.repo_id=test/moves",
            "--policy.type=tiny",
            "--policy.device=cpu",
            f"--output_dir={output}",
            "--num_workers=0",
            "--batch_size=4",
            "--log_freq=1",
            *more,
        ]

    return make


@pytest.fixture
def train(arguments: Callable[..., list[str]]) -> Callable[..., Path]:
    """Train in this process; the last of two equal flags wins."""
    from lerobot.training.command import train as run

    def call(output: Path, *more: str) -> Path:
        flags = arguments(output, *more)
        merged = {flag.partition("=")[0]: flag for flag in flags}
        assert run(load(TrainPipelineConfig, list(merged.values())).config) == 0
        return output

    return call


@pytest.fixture
def resume() -> Callable[..., None]:
    """Go on from a checkpoint in this process."""
    from lerobot.training.command import train as run

    def call(checkpoint: Path, *more: str) -> None:
        flags = [f"--config_path={checkpoint / 'pretrained_model' / 'train_config.json'}", "--resume=true", *more]
        assert run(load(TrainPipelineConfig, flags).config) == 0

    return call


@pytest.fixture
def states() -> Callable[[Path], dict[str, bytes]]:
    """Every byte of weights, optimizer and random states of a checkpoint, by file."""

    def read(checkpoint: Path) -> dict[str, bytes]:
        files = [*checkpoint.glob("pretrained_model*/*.safetensors"), *checkpoint.glob("training_state/*")]
        return {str(file.relative_to(checkpoint)): file.read_bytes() for file in files}

    return read
