"""Runs under the peer's interpreter: SAC updates of our policies, and policies of its own.

Usage: python peer_hilserl.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_hilserl.py.
"""

import sys
import warnings
from pathlib import Path

import torch
from lerobot.policies.gaussian_actor.configuration_gaussian_actor import (
    ActorNetworkConfig,
    CriticNetworkConfig,
    GaussianActorConfig,
    PolicyConfig,
)
from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy
from lerobot.policies.gaussian_actor.processor_gaussian_actor import make_gaussian_actor_pre_post_processors
from lerobot.rl.algorithms.sac.configuration_sac import SACAlgorithmConfig
from lerobot.rl.algorithms.sac.sac_algorithm import SACAlgorithm
from peer_exchange import cases, features, load_pipelines, part, save, statistics, write
from safetensors.torch import load_file, save_file


def configured(asked: dict) -> GaussianActorConfig:
    settings = dict(asked["settings"])
    settings["actor_network_kwargs"] = ActorNetworkConfig(**settings["actor_network_kwargs"])
    settings["policy_kwargs"] = PolicyConfig(**settings["policy_kwargs"])
    settings["discrete_critic_network_kwargs"] = CriticNetworkConfig(**settings["discrete_critic_network_kwargs"])
    return GaussianActorConfig(
        input_features=features(asked["inputs"]),
        output_features=features(asked["outputs"]),
        device="cpu",
        push_to_hub=False,
        **settings,
    )


def algorithm_of(policy: GaussianActorPolicy, asked: dict) -> SACAlgorithm:
    settings = dict(asked["algorithm"])
    for name in ("critic_network_kwargs", "discrete_critic_network_kwargs"):
        settings[name] = CriticNetworkConfig(**settings[name])
    algorithm = SACAlgorithm(policy, SACAlgorithmConfig(policy_config=policy.config, **settings))
    algorithm.make_optimizers_and_scheduler()
    return algorithm


def batches(data: dict, asked: dict):
    for index in range(asked["updates"] * asked["algorithm"]["utd_ratio"]):
        own = part(data, f"batch.{index}")
        batch = {
            "state": part(own, "state"),
            "next_state": part(own, "next_state"),
            "action": own["action"],
            "reward": own["reward"],
            "done": own["done"].float(),
            "truncated": torch.zeros_like(own["reward"]),
        }
        if "discrete_penalty" in own:
            batch["complementary_info"] = {"discrete_penalty": own["discrete_penalty"]}
        yield batch


def learned(policy: GaussianActorPolicy, algorithm: SACAlgorithm, data: dict, asked: dict) -> dict:
    policy.train()
    given = batches(data, asked)
    torch.manual_seed(7)
    found = {}
    for update in range(asked["updates"]):
        stats = algorithm.update(given)
        found |= {f"{name}.{update}": torch.tensor(value) for name, value in stats.losses.items()}
        found |= {f"norm_{name}.{update}": torch.tensor(value) for name, value in stats.grad_norms.items()}
    found |= {f"weight.{key}": value.clone() for key, value in policy.state_dict().items()}
    return found | {f"algorithm.{key}": value.clone() for key, value in algorithm.state_dict().items()}


def acted(policy: GaussianActorPolicy, pre, data: dict) -> torch.Tensor:
    policy.eval()
    torch.manual_seed(5)
    ticks = part(data, "tick")
    actions = []
    for index in range(len(next(iter(ticks.values())))):
        ready = pre({key: value[index] for key, value in ticks.items()})
        # Its critic of choices takes nothing that is no observation.
        actions.append(policy.select_action({key: ready[key] for key in ticks}))
    return torch.stack(actions)


def main(root: Path) -> None:
    warnings.filterwarnings("ignore")
    for folder, asked, data in cases(root):
        config = configured(asked)
        torch.manual_seed(asked["seed"])
        own = GaussianActorPolicy(config)
        with torch.no_grad():
            for parameter in own.parameters():
                parameter += 0.2 * torch.randn_like(parameter)
        pre, post = make_gaussian_actor_pre_post_processors(config, statistics(data))
        save(folder / "theirs", own, pre, post)
        its = algorithm_of(own, asked)
        (folder / "theirs" / "algorithm").mkdir()
        save_file(its.state_dict(), folder / "theirs" / "algorithm" / "model.safetensors")
        found = {"acted.theirs": acted(own, pre, data)}

        policy = GaussianActorPolicy.from_pretrained(folder / "ours")
        found["acted.ours"] = acted(policy, load_pipelines(folder / "ours")[0], data)
        algorithm = algorithm_of(policy, asked)
        algorithm.load_state_dict(load_file(folder / "algorithm.safetensors"))
        write(folder / "peer.safetensors", found | learned(policy, algorithm, data, asked))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
