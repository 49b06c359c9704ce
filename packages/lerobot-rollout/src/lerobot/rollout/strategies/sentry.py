"""Drive, and record everything, cut into episodes."""

from enum import StrEnum

from lerobot.core.control.status import StatusLine
from lerobot.core.tick import Tick
from lerobot.core.types import as_features
from lerobot.datasets.format.layout import DEFAULT_VIDEO_FILES_SIZE_IN_MB
from lerobot.rollout.conversation import Conversation, Phase
from lerobot.rollout.recording.session import AfterRamp, RecordedRun, drive, recorded_run
from lerobot.rollout.stage import Stage
from lerobot.rollout.strategy import SentryStrategyConfig

BITS_PER_PIXEL = 0.1
"""What a pixel of video takes, about; as huggingface/lerobot estimates."""
WITHOUT_VIDEO_S = 300.0
"""Length of an episode without video, seconds; as in huggingface/lerobot."""


class SentryWish(StrEnum):
    """What a person may ask for."""

    NEXT = "next"
    """End the episode, and go on with the next one."""
    STOP = "stop"
    """End the run."""


SENTRY_KEYS = {"right": SentryWish.NEXT, "n": SentryWish.NEXT, "esc": SentryWish.STOP, "q": SentryWish.STOP}


def episode_rows(cameras: list[tuple[int, ...]], fps: float, target_mb: int | None) -> int:
    """Rows after which an episode is cut.

    Args:
        cameras: shapes of the images, `(H, W, C)`.
        fps: rows per second.
        target_mb: size of the video of an episode, in 2**20 bytes; None for that of a file.
    """
    if not cameras:
        return round(WITHOUT_VIDEO_S * fps)
    pixels = min(shape[0] * shape[1] for shape in cameras)
    bits = (target_mb or DEFAULT_VIDEO_FILES_SIZE_IN_MB) * 2**20 * 8
    return max(1, round(bits / (pixels * BITS_PER_PIXEL)))


def rows_of(stage: Stage, target_mb: int | None) -> int:
    """Rows after which an episode of this robot is cut."""
    specs = as_features(stage.robot.observation_features).values()
    return episode_rows([spec.shape for spec in specs if spec.is_image], stage.config.fps, target_mb)


class SentryStrategy:
    """See the module.

    Args:
        config: its configuration.
    """

    def __init__(self, config: SentryStrategyConfig) -> None:
        self.config = config

    def run(self, stage: Stage) -> int:
        """See `Strategy.run`.

        Raises:
            DatasetError: the dataset cannot be created, resumed, written or uploaded.
        """
        # Keys would take away what is typed.
        keys = {} if stage.config.interactive else SENTRY_KEYS
        with recorded_run(stage, wishes=SentryWish, keys=keys) as run:
            conversation = stage.conversation(run.controls.stop)
            status = StatusLine()
            run.session.close_later("status line", status.close)
            sink = EverySink(run, stage, self.config.target_video_file_size_mb, conversation)
            drive(stage, run, conversation or stage.acting, sink, (status,))
        return run.session.signals.exit_code


class EverySink:
    """Records every tick in which the policy drives, once the robot follows, and cuts; also where the task changes.

    Args:
        run: see there.
        stage: see there.
        target_mb: see `episode_rows`.
        conversation: says whether the policy drives; None: it always does.
    """

    def __init__(
        self, run: RecordedRun, stage: Stage, target_mb: int | None, conversation: Conversation | None
    ) -> None:
        self._run = run
        self._actor = stage.actor
        self._task = stage.actor.task
        self._conversation = conversation
        self._most = rows_of(stage, target_mb)
        self._ramp = AfterRamp(stage.config.safety.ramp_s if stage.config.safety.enabled else 0.0)

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        for wish in self._run.controls.poll():
            if wish == SentryWish.STOP:
                self._run.controls.stop.set()
            else:
                self._run.stream.cut()
        drives = self._conversation is None or self._conversation.phase is Phase.RUNS
        if not drives or self._actor.task != self._task:
            self._run.stream.cut()
            self._task = self._actor.task
        if self._ramp.follows(tick) and drives:
            self._run.stream.add(tick)
            if self._run.stream.rows >= self._most:
                self._run.stream.cut()
