"""An episode on its way into the dataset, while the robot goes on."""

import threading

from lerobot.datasets.writer.recorder import DatasetRecorder, SavedEpisode


class EpisodeSave:
    """Saves the episode in progress in a thread of its own; until it is done nobody else uses the recorder.

    Args:
        recorder: has the episode.
    """

    def __init__(self, recorder: DatasetRecorder) -> None:
        self._recorder = recorder
        self._saved: SavedEpisode | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="saving", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether `result` would not wait."""
        return not self._thread.is_alive()

    def result(self) -> SavedEpisode:
        """Wait until it is saved.

        Raises:
            DatasetError: it could not be.
        """
        self._thread.join()
        if self._saved is None:
            raise self._error or RuntimeError("the thread that saves an episode never ran")
        return self._saved

    def _run(self) -> None:
        try:
            self._saved = self._recorder.save_episode()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that drives the robot
            self._error = error
