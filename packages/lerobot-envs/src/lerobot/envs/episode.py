"""One environment that plays episode by episode, and keeps a video of those it is told to."""

from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium

from lerobot.core.errors import LeRobotError
from lerobot.envs.video import VideoWriter


class EpisodeEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Plays one episode per `reset` and stands still after it, so that neighbours in a vector can play on.

    `step` never reports an end in `terminated` or `truncated`, but in `info["ended"]`, with `info["is_success"]`,
    and in `info["truncated"]` whether only the time was over. Nothing else of the environment's info passes, for it may
    not fit a vector. `reset(options={"video": path})` films the episode here, where its pictures are made.

    Args:
        env: the environment; says in its last step's `info["is_success"]` whether the task was solved.
        max_steps: steps after which an episode ends; None if the environment always ends it itself.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, max_steps: int | None = None) -> None:
        super().__init__(env)
        self.max_steps = max_steps
        self._steps = 0
        self._ended = True
        self._success = False
        self._truncated = False
        self._observation: Any = None
        self._video: VideoWriter | None = None

    @property
    def task_description(self) -> str:
        """The task in words; empty if the environment does not say."""
        if self.env.has_wrapper_attr("task_description"):
            return str(self.env.get_wrapper_attr("task_description"))
        return ""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; what was left of a video of the one before is dropped."""
        own = dict(options or {})
        video: Path | None = own.pop("video", None)
        if self._video is not None:
            self._video.abandon()
        self._video = None if video is None else VideoWriter(video, float(self.metadata.get("render_fps") or 30))
        self._steps, self._ended, self._success, self._truncated = 0, False, False, False
        self._observation, _ = self.env.reset(seed=seed, options=own or None)
        self._film()
        return self._observation, self._info()

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a step; after the end nothing happens and the reward is 0.

        Raises:
            LeRobotError: the episode ended without saying whether the task was solved.
        """
        if self._ended:
            return self._observation, 0.0, False, False, self._info()
        self._observation, reward, terminated, truncated, info = self.env.step(action)
        self._steps += 1
        self._film()
        if terminated or truncated or self._steps == self.max_steps:
            self._end(info)
            self._truncated = not terminated
        return self._observation, float(reward), False, False, self._info()

    def close(self) -> None:
        """Close the environment; a video that is not finished is dropped."""
        if self._video is not None:
            self._video.abandon()
            self._video = None
        super().close()

    def _end(self, info: dict[str, Any]) -> None:
        if "is_success" not in info:
            raise LeRobotError(
                f"environment {self.env} does not say whether its task was solved",
                expected="info['is_success'] in the last step of an episode",
            )
        self._ended, self._success = True, bool(info["is_success"])
        if self._video is not None:
            self._video.close()
            self._video = None

    def _film(self) -> None:
        if self._video is not None:
            self._video.add(self.env.render())

    def _info(self) -> dict[str, Any]:
        return {"ended": self._ended, "is_success": self._success, "truncated": self._truncated}
