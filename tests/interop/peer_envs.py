"""Runs under the peer's interpreter: plays the episodes of test_envs.py in its own environments.

Usage: python peer_envs.py CASES.json OUT.npz
"""

import json
import sys
from pathlib import Path

import numpy as np
from lerobot.envs.factory import make_env, make_env_config
from lerobot.envs.utils import preprocess_observation


def play(case: dict) -> dict[str, np.ndarray]:
    config = make_env_config(case["type"], **case["fields"])
    env = make_env(config, n_envs=1)[case["type"]][0]
    observation, _ = env.reset(seed=[case["seed"]], options=case["options"])
    seen = [preprocess_observation(observation)]
    told = []
    for action in case["actions"]:
        observation, reward, terminated, truncated, info = env.step(np.array([action], np.float32))
        ended = bool(terminated[0] or truncated[0])
        success = info["final_info"]["is_success"] if ended else info["is_success"]
        told.append([reward[0], terminated[0], truncated[0], np.ravel(success)[0]])
        if ended:
            # What the vector shows now is the next episode's start.
            break
        seen.append(preprocess_observation(observation))
    env.close()
    shown = {key: np.concatenate([step[key].numpy() for step in seen]) for key in seen[0]}
    return {**shown, "told": np.array(told, np.float64)}


def main() -> None:
    cases, out = sys.argv[1:]
    answers = {}
    for index, case in enumerate(json.loads(Path(cases).read_text())):
        answers |= {f"{index}/{key}": value for key, value in play(case).items()}
    np.savez(out, **answers)


if __name__ == "__main__":
    main()
