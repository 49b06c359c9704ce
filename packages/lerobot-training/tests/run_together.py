"""`lerobot train` in two processes that find each other, as a launcher starts them, but torch is imported only once."""

import os
import socket
import sys

import accelerate  # noqa: F401 - imported once, here, and not in both processes
import torch._dynamo  # noqa: F401 - as above

import lerobot.training.command  # noqa: F401 - as above
from lerobot_cli import main


def start(rank: int, port: int) -> int:
    """Fork one of the processes; gives its id."""
    process = os.fork()
    if process == 0:
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in place.items()})
        sys.exit(main())
    return process


if __name__ == "__main__":
    sys.argv.insert(1, "train")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = [os.waitpid(process, 0)[1] for process in (start(0, port), start(1, port))]
    sys.exit(f"the processes ended with {ended}" if any(ended) else 0)
