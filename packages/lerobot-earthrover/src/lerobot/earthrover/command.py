"""What `lerobot virtual-earthrover` does."""

import time

from lerobot.core.prompts import TerminalPrompter
from lerobot.core.signals import check_stop, ended_by_signal
from lerobot.earthrover.commands.virtual_earthrover import VirtualEarthRoverConfig
from lerobot.earthrover.virtual import VirtualRover

TURN_S = 0.1


def virtual_earthrover(config: VirtualEarthRoverConfig) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    with ended_by_signal(), VirtualRover(config.port) as rover:
        TerminalPrompter().say(f"virtual EarthRover at {rover.url} (Ctrl-C ends it)")
        if config.url_file is not None:
            aside = config.url_file.with_name(f".{config.url_file.name}.new")
            aside.write_text(rover.url + "\n", encoding="utf-8")
            aside.replace(config.url_file)
        try:
            while True:
                check_stop()
                time.sleep(TURN_S)
        finally:
            if config.url_file is not None:
                config.url_file.unlink(missing_ok=True)
