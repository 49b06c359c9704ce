"""What a person does between episodes: puts the objects of every running scene where the next episode starts."""

from lerobot.core.hooks import hookimpl
from lerobot.core.types import EpisodeInfo
from lerobot.sim.running import running


@hookimpl
def episode_start(episode: EpisodeInfo) -> None:
    """Arrange the table for this episode; recorded again, it starts from the same arrangement."""
    for world in running.all():
        world.rearrange(episode=episode.index)
