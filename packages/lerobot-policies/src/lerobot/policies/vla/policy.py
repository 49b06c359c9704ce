"""The base of vision-language-action models."""

from collections.abc import Mapping
from typing import Any

from lerobot.policies.chunked import ChunkedPolicy
from lerobot.policies.vla.config import VLAConfig
from lerobot.policies.vla.images import require_batch


class VLAPolicy(ChunkedPolicy):
    """A policy that acts out chunks, and some of whose cameras may be missing."""

    config: VLAConfig

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """See `PreTrainedPolicy.require_inputs`; cameras may be missing, as many as `empty_cameras`."""
        require_batch(self.config, self.name, batch)
