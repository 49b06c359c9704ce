"""What a person does before an episode with a robot: resets the scene."""

from lerobot.core.hooks import hookimpl
from lerobot.core.types import EpisodeInfo
from lerobot.envs.running import running


@hookimpl
def episode_start(episode: EpisodeInfo) -> None:
    """Begin this episode in every running environment; recorded again, it starts from the same place."""
    for scene in running.all():
        scene.begin(episode.index)
