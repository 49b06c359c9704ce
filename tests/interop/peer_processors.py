"""Runs under the peer's interpreter: writes its own pipeline, reads ours, and computes the same cases.

Usage: python peer_processors.py CASES.json PEER_FOLDER OUR_FOLDER; the answer is one JSON object on stdout.
"""

import json
import sys
from pathlib import Path

import torch
from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
from lerobot.datasets.pipeline_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.processor import DataProcessorPipeline
from lerobot.processor import pipeline as peer
from lerobot.processor.converters import create_transition
from lerobot.processor.normalize_processor import NormalizerProcessorStep
from lerobot.processor.rename_processor import RenameObservationsProcessorStep
from lerobot.robots.so_follower import robot_kinematic_processor  # noqa: F401 - registers its steps
from lerobot.teleoperators.utils import TeleopEvents


def main(cases_file: str, peer_folder: str, our_folder: str) -> None:
    asked = json.loads(Path(cases_file).read_text())
    write(asked["pipeline"], peer_folder)
    ours = DataProcessorPipeline.from_pretrained(our_folder, "shared_pipe.json")
    answer = {
        "read": ours.get_config(),
        "state": {
            key: {name: tensor.tolist() for name, tensor in state.items()} for key, state in ours.state_dict().items()
        },
        "cases": [run(case) for case in asked["cases"]],
        "features": features(asked["features"]),
    }
    sys.stdout.write(json.dumps(answer))


def write(entries: list, folder: str) -> None:
    steps = [peer.ProcessorStepRegistry.get(name)(**config) for name, config in entries]
    stats = {"observation.state": {"mean": torch.tensor([1.0, 2.0]), "std": torch.tensor([0.1, 0.25])}}
    normalizer = NormalizerProcessorStep(
        features={"observation.state": PolicyFeature(FeatureType.STATE, (2,))},
        norm_map={FeatureType.STATE: NormalizationMode.MEAN_STD},
        stats=stats,
    )
    pipeline = DataProcessorPipeline([normalizer, peer.IdentityProcessorStep(), *steps], "Shared Pipe")
    pipeline.save_pretrained(folder)


def features(declared: dict) -> dict:
    action, observation = (
        {key: float if value is None else tuple(value) for key, value in declared[entry].items()}
        for entry in ("action", "observation")
    )
    pipeline = DataProcessorPipeline([RenameObservationsProcessorStep(declared["rename_map"])])
    return aggregate_pipeline_dataset_features(pipeline, create_initial_features(action, observation))


def run(case: dict) -> list:
    step = peer.ProcessorStepRegistry.get(case["name"])(**case["config"])
    return [plain(step(transition(call))) for call in case["calls"]]


def transition(call: dict) -> dict:
    entries = {key: tensors(value) for key, value in call.items()}
    if "info" in entries:
        entries["info"] = {TeleopEvents(key): value for key, value in entries["info"].items()}
    return create_transition(**entries)


def tensors(value):
    if isinstance(value, list):
        return torch.tensor(value, dtype=torch.float64)
    return {key: tensors(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def plain(value):
    if isinstance(value, dict):
        return {getattr(key, "value", key): plain(entry) for key, entry in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


if __name__ == "__main__":
    main(*sys.argv[1:])
