"""The loop knows nothing of a learner but its protocol: one with two networks, losses, optimizers and phases."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import features_of_dataset
from lerobot.training.batches import TrainingBatches
from lerobot.training.checkpoints import folder as checkpoints
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.layout import MODEL, STATE, Progress
from lerobot.training.checkpoints.optimizer_state import load_optimizer, save_optimizer
from lerobot.training.config import AcceleratorConfig, BatchConfig, DatasetConfig
from lerobot.training.data import Demonstrations, open_dataset
from lerobot.training.learner.protocol import Learner
from lerobot.training.loop import Training
from lerobot.training.meter import Meter
from lerobot.training.processes import joined

BATCHES = BatchConfig(num_workers=0, batch_size=4)


class ActorAndCritic:
    """A critic learns to tell a policy's error; the policy follows it and its own loss, from the third batch on."""

    def __init__(self, trained: PolicyWithProcessors) -> None:
        self.trained = self.evaluated = trained
        self.checkpointed = {MODEL: trained}
        self.at_rest = True
        torch.manual_seed(3)
        self.critic = nn.Linear(3, 1)
        self.batches = 0
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "actor": torch.optim.AdamW(trained.policy.parameters(), lr=1e-2),
            "critic": torch.optim.Adam(self.critic.parameters(), lr=1e-3),
        }

    @property
    def rates(self) -> dict[str, float]:
        return {f"lr_{name}": float(each.param_groups[0]["lr"]) for name, each in self.optimizers.items()}

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        prepared = self.trained.processors.preprocessor(batch)
        actor_loss, _ = self.trained.policy(prepared)
        guess = self.critic(prepared["observation.state"]).mean()
        critic_loss = (guess - actor_loss.detach()).square()
        critic_loss.backward()
        self._follow("critic")
        if self.batches >= 2:
            (actor_loss + 0.1 * self.critic(prepared["observation.state"]).mean().detach()).backward()
            self._follow("actor")
        self.batches += 1
        return {"loss": actor_loss, "critic_loss": critic_loss}

    def _follow(self, name: str) -> None:
        self.optimizers[name].step()
        self.optimizers[name].zero_grad()

    def validation_loss(self, batch: dict[str, Any]) -> Tensor:
        loss: Tensor = self.trained.policy(self.trained.processors.preprocessor(batch))[0]
        return loss

    def whole(self, *, acting: bool = False, final: bool = False) -> AbstractContextManager[None]:
        del acting, final
        return nullcontext()

    def save_parts(self, folder: Path) -> None:
        pass

    def save_state(self, folder: Path) -> None:
        for name, optimizer in self.optimizers.items():
            save_optimizer(optimizer, folder / name)
        save_file(self.critic.state_dict(), folder / "critic.safetensors")

    def load_state(self, folder: Path, step: int, *, new_settings: bool) -> None:
        for name, optimizer in self.optimizers.items():
            load_optimizer(optimizer, folder / name, keep_settings=new_settings)
        self.critic.load_state_dict(load_file(folder / "critic.safetensors"))
        self.batches = step


class SavesAt3:
    """Saves one checkpoint, and never ends the run."""

    def __init__(self, learner: Learner, target: Path) -> None:
        self.learner, self.target = learner, target
        self.states: dict[str, Tensor] = {}

    def step_done(self, step: int) -> bool:
        if step == 3:
            self.states = random_state.capture()
            save_state = self.learner.save_state
            checkpoints.save(self.target, self.learner.checkpointed, save_state, Progress(3, 1, 4), [self.states], {})
        return False


@pytest.fixture
def data(dataset: Path) -> Demonstrations:
    from tiny_policy import TinyConfig

    return open_dataset(DatasetConfig(repo_id="test/moves", root=str(dataset)), TinyConfig(), BATCHES)


def training(data: Demonstrations, accelerator: Accelerator, source: Path | None = None) -> Training:
    from tiny_policy import TinyConfig

    if source is None:
        torch.manual_seed(1)
        policy = make_policy(TinyConfig(device="cpu"), features_of_dataset(data.features))
        trained = PolicyWithProcessors(policy, make_pre_post_processors(policy.config, data.stats))
    else:
        trained = PolicyWithProcessors.from_pretrained(source)
    learner: Learner = ActorAndCritic(trained)
    batches = TrainingBatches(data.training, BATCHES, seed=5)
    return Training(accelerator, learner, batches, data.cameras, data.numbers, Meter(4, batches.frames_per_epoch))


def bits(run: Training) -> Mapping[str, Tensor]:
    learner: Any = run.learner
    return {**learner.trained.policy.state_dict(), **learner.critic.state_dict(prefix="critic.")}


def test_two_optimizers_in_two_phases_train_and_go_on_to_the_same_bits(data: Demonstrations, tmp_path: Path) -> None:
    target = tmp_path / "checkpoints/000003"
    target.parent.mkdir()
    with joined(AcceleratorConfig(), "cpu") as accelerator, random_state.aside(7):
        first = training(data, accelerator)
        before = {name: tensor.clone() for name, tensor in bits(first).items()}
        observer = SavesAt3(first.learner, target)
        first.run(8, observer)
        report = first.report()
        assert {"loss", "critic_loss", "lr_actor", "lr_critic"} <= set(report)
        assert (report["lr_actor"], report["lr_critic"]) == (1e-2, 1e-3)
        assert all(not torch.equal(tensor, before[name]) for name, tensor in bits(first).items())

        second = training(data, accelerator, target / MODEL)
        second.learner.load_state(target / STATE, 3, new_settings=False)
        second.step = 3
        second.batches.start_at(3, 4, 1)  # type: ignore[attr-defined]
        random_state.restore(observer.states)
        second.run(8, observer)
    assert all(torch.equal(tensor, bits(first)[name]) for name, tensor in bits(second).items())
    files = {str(path.relative_to(target / STATE)) for path in (target / STATE).rglob("*.*")}
    assert {"actor/optimizer_state.safetensors", "critic/optimizer_param_groups.json", "critic.safetensors"} <= files
