"""The Env protocol: a Gymnasium environment that also says what its task is and whether it was solved."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Env(Protocol):
    """One simulated task. Signatures and meanings are Gymnasium's (`gymnasium.Env`)."""

    observation_space: Any
    """Gymnasium space of observations."""

    action_space: Any
    """Gymnasium space of actions."""

    metadata: dict[str, Any]
    """`render_fps` and `render_modes`."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the start depends on `seed` alone.

        Returns:
            Observation, and info.
        """
        ...

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Apply one action.

        Returns:
            Observation, reward, terminated, truncated, info; `info["is_success"]` says whether the task is solved.
        """
        ...

    def render(self) -> Any:
        """Return a picture `(H, W, 3)` uint8 of the present state."""
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...

    @property
    def task_description(self) -> str:
        """The task in words, as a person would ask for it."""
        ...
