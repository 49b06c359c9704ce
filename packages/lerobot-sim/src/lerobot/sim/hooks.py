"""What a person does around episodes: resets the table, and notices that recording has ended."""

from lerobot.core.hooks import hookimpl
from lerobot.core.types import EpisodeInfo
from lerobot.sim.running import running


@hookimpl
def episode_start(episode: EpisodeInfo) -> None:
    """Arrange the table for this episode; recorded again, it starts from the same arrangement."""
    for world in running.all():
        world.rearrange(episode=episode.index)


@hookimpl
def episode_end() -> None:
    """Tell every running scene that what happens now is not recorded: its operator clears the table."""
    for world in running.all():
        world.episode_over = True
