"""The network of VQ-BeT: observations to codes of chunks, and offsets to what the codes stand for.

Source: Lee et al. 2024, arXiv:2403.03181; parameter names are those of huggingface/lerobot.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import OBSERVATION_STATE
from lerobot.policies.networks.keypoints import KeypointEncoder, KeypointSettings
from lerobot.vqbet.codes import LAYERS, ActionCodes
from lerobot.vqbet.config import VQBeTConfig
from lerobot.vqbet.gpt import GPT


class Prediction(NamedTuple):
    """Chunks that were drawn, and what they were drawn from; `N` are all tokens of all rows."""

    logits: Tensor
    """Of each code, `(N, 2, C)`."""
    codes: Tensor
    """Drawn ones, `(N, 2)` int64."""
    centres: Tensor
    """Chunks the codes stand for, `(N, W, Da)`."""
    chunks: Tensor
    """The same with the codes' offsets, `(N, W, Da)`."""


class Head(nn.Module):
    """Tokens to chunks: codes are drawn, decoded, and corrected by an offset per code.

    Args:
        config: sizes, and how codes are drawn.
        actions: numbers of an action.
    """

    def __init__(self, config: VQBeTConfig, actions: int) -> None:
        super().__init__()
        self.config = config
        width, codes = config.gpt_output_dim, config.vqvae_n_embed
        self._offset_shape = (LAYERS, codes, config.action_chunk_size, actions)
        self.vqvae_model = ActionCodes(config, actions)
        # Sequences of one, as their names in checkpoints say.
        if config.sequentially_select:
            self.map_to_cbet_preds_primary_bin = nn.Sequential(nn.Linear(width, codes))
            self.map_to_cbet_preds_secondary_bin = nn.Sequential(nn.Linear(width + codes, codes))
        else:
            self.map_to_cbet_preds_bin = nn.Sequential(nn.Linear(width, LAYERS * codes))
        offsets = LAYERS * codes * config.action_chunk_size * actions
        self.map_to_cbet_preds_offset = nn.Sequential(nn.Linear(width, offsets))

    def forward(self, tokens: Tensor, noise: Tensor | None = None) -> Prediction:
        """Draw chunks for tokens `(N, D)`.

        Args:
            tokens: what the transformer says of each.
            noise: to draw by, as `draw_noise` gives it; None for torch's generator.
        """
        draw = self._draw_in_turn if self.config.sequentially_select else self._draw_at_once
        logits, codes = draw(tokens, noise)
        offsets = self.map_to_cbet_preds_offset(tokens).unflatten(-1, self._offset_shape)
        rows = torch.arange(tokens.shape[0], device=tokens.device)[:, None]
        layers = torch.arange(LAYERS, device=tokens.device)
        centres = self.vqvae_model.decode(codes)
        return Prediction(logits, codes, centres, centres + offsets[rows, layers, codes].sum(1))

    def draw_noise(self, tokens: int) -> Tensor:
        """Draw what codes of tokens are drawn by, `(tokens, LAYERS, C)`, in the order in which `forward` draws."""
        layers = LAYERS if self.config.sequentially_select else 1
        shape = (tokens, LAYERS // layers, self.config.vqvae_n_embed)
        return torch.cat([torch.empty(shape).exponential_() for _ in range(layers)], dim=1)

    def _draw_at_once(self, tokens: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        logits = self.map_to_cbet_preds_bin(tokens).unflatten(-1, (LAYERS, -1))
        return logits, self._draw(logits.flatten(0, 1), noise).view(-1, LAYERS)

    def _draw_in_turn(self, tokens: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        first = self.map_to_cbet_preds_primary_bin(tokens)
        code = self._draw(first, None if noise is None else noise[:, 0])
        known = torch.cat((tokens, F.one_hot(code, first.shape[-1]).to(tokens.dtype)), dim=-1)
        second = self.map_to_cbet_preds_secondary_bin(known)
        second_code = self._draw(second, None if noise is None else noise[:, 1])
        return torch.stack((first, second), dim=1), torch.stack((code, second_code), dim=1)

    def _draw(self, logits: Tensor, noise: Tensor | None) -> Tensor:
        """Draw a code for each row `(M, C)`, `(M,)`."""
        likely = torch.softmax(logits / self.config.bet_softmax_temperature, dim=-1)
        if noise is None:
            return torch.multinomial(likely, 1).squeeze(-1)
        # What torch.multinomial does with the exponential noise that it draws.
        return (likely / noise.view(-1, noise.shape[-1])).argmax(dim=-1)


class VQBeT(nn.Module):
    """Observations to chunks.

    Args:
        config: settings and features.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the inputs are not one picture and the state, or there is no action.
        LeRobotError: the pretrained weights cannot be had.
    """

    select_target_actions_indices: Tensor

    def __init__(self, config: VQBeTConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.config = config
        self.camera, settings, state, actions = _features(config)
        width = config.gpt_input_dim
        self.rgb_encoder = KeypointEncoder(settings, from_scratch=from_scratch)
        self.action_token = nn.Parameter(torch.randn(1, 1, width))
        self.state_projector = nn.Sequential(nn.Linear(state, width))
        self.rgb_feature_projector = nn.Sequential(nn.Linear(self.rgb_encoder.feature_dim, width))
        self.policy = GPT(config)
        self.action_head = Head(config, actions)
        first = torch.arange(config.n_chunks)[:, None]
        self.register_buffer("select_target_actions_indices", first + torch.arange(config.action_chunk_size))

    def chunks(self, actions: Tensor) -> Tensor:
        """Cut all chunks out of actions.

        Args:
            actions: from the oldest observation on, `(B, T, Da)`.

        Returns:
            `(B, n_chunks, W, Da)`, one beginning at each step.
        """
        return actions[:, self.select_target_actions_indices]

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Make tokens of observations.

        Args:
            observations: the inputs, `(N, ...)`.

        Returns:
            Tokens of the picture and of the state, `(N, D)` each.
        """
        points = self.rgb_encoder(observations[self.camera])
        state = self.state_projector(observations[OBSERVATION_STATE])
        return {self.camera: self.rgb_feature_projector(points), OBSERVATION_STATE: state}

    def predict(self, described: Mapping[str, Tensor], noise: Tensor | None = None) -> Prediction:
        """Draw a chunk for each observation and those after the newest.

        Args:
            described: tokens of observations, `(B, n_obs_steps, D)` each.
            noise: see `Head.forward`.
        """
        tokens = self._tokens(described[self.camera], described[OBSERVATION_STATE])
        prediction: Prediction = self.action_head(self.policy(tokens, self._queries()).flatten(0, 1), noise)
        return prediction

    def _tokens(self, picture: Tensor, state: Tensor) -> Tensor:
        """Picture, state and query of each step in turn, and the queries after them, `(B, N, D)`."""
        query = self.action_token.expand(*state.shape[:2], -1)
        steps = torch.stack((picture, state, query), dim=2)
        later = self.action_token.expand(state.shape[0], self.config.n_action_pred_token - 1, -1)
        return torch.cat((steps.flatten(1, 2), later), dim=1)

    def _queries(self) -> list[int]:
        """Where queries are among the tokens."""
        steps = self.config.n_obs_steps
        return [*range(2, 3 * steps, 3), *range(3 * steps, 3 * steps + self.config.n_action_pred_token - 1)]


def _features(config: VQBeTConfig) -> tuple[str, KeypointSettings, int, int]:
    """Camera, how its pictures are looked at, and the sizes of state and action, checked to be possible."""
    state, action, pictures = config.robot_state_feature, config.action_feature, config.image_features
    if state is None or action is None or len(pictures) != 1 or len(config.input_features) != 2:
        raise FeatureMismatchError(
            f"vqbet has the inputs {list(config.input_features)} and the outputs {list(config.output_features)}",
            keys=list(config.input_features),
            expected="exactly one picture and 'observation.state' as inputs; 'action' as output",
        )
    ((camera, feature),) = pictures.items()
    channels, height, width = feature.shape
    crop = config.crop_shape
    if channels != 3 or (crop and (crop[0] > height or crop[1] > width)):
        raise FeatureMismatchError(
            f"crop_shape is {crop}, and {camera} has the shape {feature.shape}",
            keys=[camera],
            expected="a picture (3, H, W) that the crop fits into",
        )
    settings = KeypointSettings(
        size=(height, width),
        backbone=config.vision_backbone,
        weights=config.pretrained_backbone_weights,
        grouped=config.use_group_norm,
        keypoints=config.spatial_softmax_num_keypoints,
        resize=None,
        crop=crop,
        random_crop=config.crop_is_random,
    )
    return camera, settings, state.shape[0], action.shape[0]
