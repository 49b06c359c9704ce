"""Records, finalizes and edits one dataset until it is killed, saying before and after each step what it holds.

Usage: killed_writer.py ROOT KIT STATE SEED

STATE is a JSON list of the episodes so far, each as its label and its task. Every line of the output is a JSON object:
`doing` or `done`, and the state that the step leads to.
"""

import importlib.util
import json
import random
import shutil
import sys
from pathlib import Path

from lerobot.dataset_tools.edit.selection import delete_episodes
from lerobot.dataset_tools.edit.swap import backups
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.datasets.writer.recorder import DatasetRecorder

root, kit_path, state, seed = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)
spec = importlib.util.spec_from_file_location("kit", kit_path)
kit = importlib.util.module_from_spec(spec)
sys.modules["kit"] = kit
spec.loader.exec_module(kit)


def say(what, step, episodes):
    print(json.dumps({what: step, "state": episodes}), flush=True)


def opened():
    if (root / "meta/info.json").exists():
        return DatasetRecorder.resume(root)
    return DatasetRecorder.create(root, 30, kit.FEATURES)


while True:
    step = rng.choice(["record", "record", "finalize", "rename", "delete"])
    if step == "record":
        recorder = opened()
        for _ in range(rng.randint(1, 3)):
            label = rng.randrange(256)
            after = [*state, [label, f"task {label % 3}"]]
            say("doing", step, after)
            kit.record(recorder, label, 1 + label % 4)
            state = after
            say("done", step, state)
        recorder.close()
        continue
    if not state:
        continue
    after = state
    if step == "finalize":
        say("doing", step, after)
        opened().finalize()
    elif step == "rename":
        after = [[label, f"renamed {seed}"] for label, _ in state]
        say("doing", step, after)
        modify_tasks(root, new_task=f"renamed {seed}")
    elif len(state) > 2:
        chosen = sorted(rng.sample(range(len(state)), 2))
        after = [episode for number, episode in enumerate(state) if number not in chosen]
        say("doing", step, after)
        delete_episodes(root, chosen)
    else:
        continue
    state = after
    say("done", step, state)
    for path in backups(root):
        shutil.rmtree(path)
