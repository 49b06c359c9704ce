"""The network of ACT.

A conditional variational autoencoder: an encoder compresses the demonstrated chunk into a latent (while training only),
and a transformer predicts the chunk from the latent, the state and the pictures.

Source: Zhao et al. 2023, arXiv:2304.13705, section IV; parameter names are those of huggingface/lerobot.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lerobot.act.config import ACTConfig
from lerobot.act.transformer import Decoder, Encoder, LayerSettings, sinusoids, sinusoids_2d
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.policies.networks.resnet import ResNet, load_pretrained


@dataclass(frozen=True, slots=True)
class Latent:
    """The distribution a demonstrated chunk is compressed into.

    Attributes:
        mean: `(B, L)`.
        log_variance: `(B, L)`.
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self) -> Tensor:
        """Draw `(B, L)`, differentiably."""
        return self.mean + torch.exp(self.log_variance / 2) * torch.randn_like(self.mean)

    def divergence(self) -> Tensor:
        """Kullback-Leibler divergence from the standard normal distribution, summed over `L`, averaged over `B`."""
        terms = 1 + self.log_variance - self.mean.pow(2) - self.log_variance.exp()
        return (-0.5 * terms).sum(-1).mean()


class ACT(nn.Module):
    """Observation, and while training the demonstrated chunk, to a predicted chunk.

    Args:
        config: settings and features.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the configuration has no action, or neither pictures nor an environment state.
        LeRobotError: the pretrained weights cannot be had.
    """

    vae_encoder_pos_enc: Tensor

    def __init__(self, config: ACTConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.config = config
        state, environment, action = config.robot_state_feature, config.env_state_feature, config.action_feature
        if action is None or not (config.image_features or environment):
            raise FeatureMismatchError(
                f"ACT has the inputs {list(config.input_features)} and the outputs {list(config.output_features)}",
                keys=list(config.input_features),
                expected="'action' as output; at least one picture, or an environment state, as input",
            )
        width = config.dim_model
        if config.use_vae:
            self._add_vae(state.shape[0] if state else 0, action.shape[0])
        if config.image_features:
            self.backbone = ResNet(config.vision_backbone, dilate_last=config.replace_final_stride_with_dilation)
            if from_scratch and config.pretrained_backbone_weights is not None:
                load_pretrained(self.backbone, config.pretrained_backbone_weights)
        self.encoder = Encoder(config.n_encoder_layers, LayerSettings.of(config))
        self.decoder = Decoder(config.n_decoder_layers, LayerSettings.of(config))
        for stack in (self.encoder, self.decoder):
            for parameter in stack.parameters():
                if parameter.ndim > 1:
                    nn.init.xavier_uniform_(parameter)
        if state:
            self.encoder_robot_state_input_proj = nn.Linear(state.shape[0], width)
        if environment:
            self.encoder_env_state_input_proj = nn.Linear(environment[1].shape[0], width)
        self.encoder_latent_input_proj = nn.Linear(config.latent_dim, width)
        if config.image_features:
            self.encoder_img_feat_input_proj = nn.Conv2d(self.backbone.out_channels, width, kernel_size=1)
        self.encoder_1d_feature_pos_embed = nn.Embedding(1 + bool(state) + bool(environment), width)
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, width)
        self.action_head = nn.Linear(width, action.shape[0])

    def _add_vae(self, state_size: int, action_size: int) -> None:
        config, width = self.config, self.config.dim_model
        self.vae_encoder = Encoder(config.n_vae_encoder_layers, LayerSettings.of(config))
        self.vae_encoder_cls_embed = nn.Embedding(1, width)
        if state_size:
            self.vae_encoder_robot_state_input_proj = nn.Linear(state_size, width)
        self.vae_encoder_action_input_proj = nn.Linear(action_size, width)
        self.vae_encoder_latent_output_proj = nn.Linear(width, 2 * config.latent_dim)
        tokens = 1 + bool(state_size) + config.chunk_size
        self.register_buffer("vae_encoder_pos_enc", sinusoids(torch.arange(tokens).double(), width)[None])

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Latent | None]:
        """Predict a chunk.

        Args:
            batch: the inputs `(B, ...)`; while training also `action` `(B, T, Da)` and `action_is_pad` `(B, T)` bool.

        Returns:
            Chunk `(B, T, Da)`, and the latent's distribution if a demonstrated chunk was compressed.
        """
        size, device = _batch_size(self.config, batch)
        latent = self.compress(batch) if self.config.use_vae and self.training else None
        sample = torch.zeros(size, self.config.latent_dim, device=device) if latent is None else latent.sample()
        tokens, positions = self._observation_tokens(batch, sample)
        memory = self.encoder(tokens, positions)
        queries = torch.zeros(
            self.config.chunk_size, size, self.config.dim_model, dtype=memory.dtype, device=memory.device
        )
        decoded = self.decoder(queries, self.decoder_pos_embed.weight.unsqueeze(1), memory, positions)
        return self.action_head(decoded.transpose(0, 1)), latent

    def compress(self, batch: Mapping[str, Tensor]) -> Latent:
        """Compress a demonstrated chunk, and the state it began in, into a latent.

        Raises:
            FeatureMismatchError: the batch has no demonstrated chunk.
        """
        if missing := [key for key in (ACTION, "action_is_pad") if key not in batch]:
            raise FeatureMismatchError(
                f"ACT learns with a variational encoder, and the batch has no {' and no '.join(missing)}",
                keys=missing,
                expected="'action' (B, T, Da) and 'action_is_pad' (B, T) while training",
            )
        action, padding = batch[ACTION], batch["action_is_pad"]
        tokens = [self.vae_encoder_cls_embed.weight.expand(action.shape[0], 1, -1)]
        if self.config.robot_state_feature:
            tokens.append(self.vae_encoder_robot_state_input_proj(batch[OBSERVATION_STATE]).unsqueeze(1))
        real = torch.zeros(action.shape[0], len(tokens), dtype=torch.bool, device=padding.device)
        tokens.append(self.vae_encoder_action_input_proj(action))
        encoded = self.vae_encoder(
            torch.cat(tokens, dim=1).transpose(0, 1),
            self.vae_encoder_pos_enc.transpose(0, 1),
            torch.cat([real, padding], dim=1),
        )
        mean, log_variance = self.vae_encoder_latent_output_proj(encoded[0]).chunk(2, dim=-1)
        return Latent(mean, log_variance)

    def _observation_tokens(self, batch: Mapping[str, Tensor], latent: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens `(N, B, D)` of the latent, the states and each camera's map in turn; positions `(N, 1, D)`."""
        tokens = [self.encoder_latent_input_proj(latent)]
        if self.config.robot_state_feature:
            tokens.append(self.encoder_robot_state_input_proj(batch[OBSERVATION_STATE]))
        if environment := self.config.env_state_feature:
            tokens.append(self.encoder_env_state_input_proj(batch[environment[0]]))
        groups = [torch.stack(tokens)]
        positions = [self.encoder_1d_feature_pos_embed.weight.unsqueeze(1)]
        for camera in self.config.image_features:
            features = self.backbone(batch[camera])
            codes = sinusoids_2d(features.shape[-2], features.shape[-1], self.config.dim_model).to(features)
            groups.append(self.encoder_img_feat_input_proj(features).flatten(2).permute(2, 0, 1))
            positions.append(codes.flatten(1).T.unsqueeze(1))
        return torch.cat(groups), torch.cat(positions)


def _batch_size(config: ACTConfig, batch: Mapping[str, Tensor]) -> tuple[int, torch.device]:
    first = batch[next(iter(config.input_features))]
    return first.shape[0], first.device
