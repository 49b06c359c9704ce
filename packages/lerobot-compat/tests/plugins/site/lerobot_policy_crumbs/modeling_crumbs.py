from collections import deque
from typing import Any

from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor, nn
from torch.nn import functional

from .configuration_crumbs import CrumbsConfig


class CrumbsPolicy(PreTrainedPolicy):
    config_class = CrumbsConfig
    name = "crumbs"

    def __init__(self, config: CrumbsConfig, **kwargs: Any) -> None:
        super().__init__(config)
        config.validate_features()
        self.config = config
        self.width = config.action_feature.shape[0]
        self.layer = nn.Linear(config.robot_state_feature.shape[0], config.chunk_size * self.width)
        self.reset()

    def get_optim_params(self) -> dict[str, Any]:
        return {"params": list(self.parameters())}

    def reset(self) -> None:
        self._queue: deque[Tensor] = deque(maxlen=self.config.n_action_steps)

    def predict_action_chunk(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        return self.layer(batch[OBS_STATE]).unflatten(1, (self.config.chunk_size, self.width))

    def select_action(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        if not self._queue:
            self._queue.extend(self.predict_action_chunk(batch)[:, : self.config.n_action_steps].transpose(0, 1))
        return self._queue.popleft()

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, None]:
        return functional.mse_loss(self.predict_action_chunk(batch), batch[ACTION]), None
