"""The learner: takes in what actors send, learns from it, and gives out what it has become."""

import logging
import tempfile
import time
import uuid
from pathlib import Path

from lerobot.core.signals import StopSignals
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rl.pair.inbox import Inbox
from lerobot.rl.run import LearningRun, states

logger = logging.getLogger(__name__)

IDLE_S = 0.02


def serve(run: LearningRun, inbox: Inbox, signals: StopSignals, push_s: float) -> None:
    """Take in, learn, and give out, until all actions are taken and learned from."""
    publication = _Publication(inbox, run.learner.trained)
    publication.publish()
    reported = run.episodes
    while not signals.stop_requested and (run.owed or not run.is_over):
        arrived = inbox.take()
        for episode in arrived:
            if run.experience.add(episode):
                run.count(len(episode), success=episode.success)
            inbox.confirm(episode)
        if arrived and run.episodes - reported >= run.config.log_freq:
            run.report(arrived[-1])
            reported = run.episodes
        if run.owed and len(run.learner.replay):
            run.learn(1)
            if publication.age_s >= push_s:
                publication.publish()
        elif not arrived:
            time.sleep(IDLE_S)
        if run.is_save_due:
            run.save(states())


class _Publication:
    """Makes files of a policy and offers them.

    Args:
        inbox: offers them.
        trained: the policy.
    """

    def __init__(self, inbox: Inbox, trained: PolicyWithProcessors) -> None:
        self._inbox = inbox
        self._trained = trained
        # Another learner of the same run, before or after this one, has other versions.
        self._name = uuid.uuid4().hex[:8]
        self._number = 0
        self._made_s = 0.0

    @property
    def age_s(self) -> float:
        """Seconds since the newest one."""
        return time.monotonic() - self._made_s

    def publish(self) -> None:
        """Offer the policy as it is now."""
        with tempfile.TemporaryDirectory() as place:
            self._trained.save_pretrained(place)
            files = {path.name: path.read_bytes() for path in sorted(Path(place).iterdir()) if path.is_file()}
        self._number += 1
        self._inbox.publish(f"{self._name}-{self._number}", files)
        self._made_s = time.monotonic()
