"""Runs under the peer's interpreter: trains our reward classifiers for some steps, and saves its own.

Usage: python peer_reward_classifier.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what.
"""

import sys
import warnings
from pathlib import Path

import torch
from lerobot.processor import PolicyProcessorPipeline
from lerobot.rewards.classifier.configuration_classifier import RewardClassifierConfig
from lerobot.rewards.classifier.modeling_classifier import Classifier
from lerobot.rewards.classifier.processor_classifier import make_classifier_processor
from peer_exchange import cases, features, part, statistics, write


def judged(classifier: Classifier, pre, data: dict, cameras: list) -> torch.Tensor:
    classifier.eval()
    ready = pre(part(data, "seen"))
    with torch.no_grad():
        return classifier.predict([ready[key] for key in cameras]).logits


def main(root: Path) -> None:
    warnings.filterwarnings("ignore")
    for folder, asked, data in cases(root):
        config = RewardClassifierConfig(
            input_features=features(asked["inputs"]), output_features={}, device="cpu", **asked["settings"]
        )
        torch.manual_seed(asked["seed"])
        own = Classifier(config)
        with torch.no_grad():
            for parameter in own.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        pre, _ = make_classifier_processor(config, statistics(data))
        own.save_pretrained(folder / "theirs")
        pre.save_pretrained(folder / "theirs")
        found = {"judged.theirs": judged(own, pre, data, list(asked["inputs"]))}

        classifier = Classifier.from_pretrained(folder / "ours")
        its = PolicyProcessorPipeline.from_pretrained(folder / "ours", "classifier_preprocessor.json")
        found["judged.ours"] = judged(classifier, its, data, list(asked["inputs"]))
        classifier.train()
        optimizer = torch.optim.AdamW(
            (each for each in classifier.parameters() if each.requires_grad), lr=1e-2, weight_decay=0.01
        )
        torch.manual_seed(7)
        for step in range(asked["steps"]):
            batch = its(part(data, "batch")) | {"next.reward": data["labels"]}
            loss, _ = classifier.forward(batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(classifier.parameters(), 1.0)
            optimizer.step()
            found[f"loss.{step}"] = loss.detach()
        write(
            folder / "peer.safetensors", found | {f"weight.{k}": v.clone() for k, v in classifier.state_dict().items()}
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
