"""Announcements, spoken where the system can speak."""

import logging
import shutil
import subprocess

from lerobot.datasets.record.progress import SPEAKERS

log = logging.getLogger(__name__)


def say(text: str, blocking: bool = False) -> None:
    """Speak; a system that cannot is no reason to stop.

    Args:
        text: what to say.
        blocking: wait until it is said.
    """
    speaker = next(filter(None, map(shutil.which, SPEAKERS)), None)
    if speaker is None:
        return
    quiet = subprocess.DEVNULL
    try:
        speaking = subprocess.Popen([speaker, text], stdin=quiet, stdout=quiet, stderr=quiet)
        if blocking:
            speaking.wait()
    except OSError as error:
        log.debug("no speech: %s", error)


def log_say(text: str, play_sounds: bool = True, blocking: bool = False) -> None:
    """Log a line, and speak it if `play_sounds`; see `say`."""
    log.info(text)
    if play_sounds:
        say(text, blocking)
