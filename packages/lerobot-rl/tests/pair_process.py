"""Runs actor or learner on the slope, as a process that is killed: pair_process.py ROLE FOLDER PORT."""

import sys
from pathlib import Path

from slope import actor_config, learner_config

if __name__ == "__main__":
    role, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if role == "actor":
        from lerobot.rl.pair.command import actor

        sys.exit(actor(actor_config(port, pause_s=0.4)))
    from lerobot.rl.pair.command import learner

    sys.exit(learner(learner_config(port, folder)))
