"""The layers of ACT with huggingface/lerobot's signatures, of which third-party policies build networks of their own.

There each is made of the policy's configuration, and positions may be left out. Parameters have the same names here.
"""

from functools import cache
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from lerobot.policies.chunks import TemporalEnsembler

NOWHERE = torch.zeros(())
"""Positions that are added to nothing."""


class ACTTemporalEnsembler(TemporalEnsembler):
    """See `TemporalEnsembler`; takes the chunk itself.

    Args:
        temporal_ensemble_coeff: 0 for equal weights; negative favours new predictions.
        chunk_size: actions of a chunk.
    """

    def __init__(self, temporal_ensemble_coeff: float, chunk_size: int) -> None:
        super().__init__(temporal_ensemble_coeff, chunk_size)

    def update(self, actions: Tensor) -> Tensor:
        """Take the chunk `(B, T, Da)` predicted at this tick; gives the tick's action `(B, Da)`."""
        return self.next(lambda: actions)


def _encoder(original: Any) -> Any:
    """Class of an encoder that is made of a policy's configuration."""
    settings = get_type_hints(original.__init__)["settings"]

    class ACTEncoder(original):  # type: ignore[misc] # the class is known at run time
        """See `lerobot.act.transformer.Encoder`; with `is_vae_encoder` it has `n_vae_encoder_layers`."""

        def __init__(self, config: Any, is_vae_encoder: bool = False) -> None:
            depth = config.n_vae_encoder_layers if is_vae_encoder else config.n_encoder_layers
            super().__init__(depth, settings.of(config))

        def forward(self, x: Tensor, pos_embed: Tensor | None = None, key_padding_mask: Tensor | None = None) -> Any:
            return super().forward(x, _placed(pos_embed, x), key_padding_mask)

    return ACTEncoder


def _decoder(original: Any) -> Any:
    """Class of a decoder that is made of a policy's configuration."""
    settings = get_type_hints(original.__init__)["settings"]

    class ACTDecoder(original):  # type: ignore[misc] # the class is known at run time
        """See `lerobot.act.transformer.Decoder`."""

        def __init__(self, config: Any) -> None:
            super().__init__(config.n_decoder_layers, settings.of(config))

        def forward(
            self,
            x: Tensor,
            encoder_out: Tensor,
            decoder_pos_embed: Tensor | None = None,
            encoder_pos_embed: Tensor | None = None,
        ) -> Any:
            positions, memory_positions = _placed(decoder_pos_embed, x), _placed(encoder_pos_embed, encoder_out)
            return super().forward(x, positions, encoder_out, memory_positions)

    return ACTDecoder


def _positions(original: Any) -> Any:
    """Function that codes the first positions of a sequence."""

    def create_sinusoidal_pos_embedding(num_positions: int, dimension: int) -> Any:
        """Code `(num_positions, dimension)`."""
        return original(torch.arange(num_positions).double(), dimension)

    return create_sinusoidal_pos_embedding


def _positions_2d(original: Any) -> Any:
    """Module that codes the positions of a map."""

    class ACTSinusoidalPositionEmbedding2d(nn.Module):
        """Codes `(1, 2 * dimension, H, W)` of a map `(B, C, H, W)`."""

        def __init__(self, dimension: int) -> None:
            super().__init__()
            self.dimension = dimension

        def forward(self, x: Tensor) -> Any:
            return original(x.shape[-2], x.shape[-1], 2 * self.dimension).to(x)[None]

    return ACTSinusoidalPositionEmbedding2d


LAYERS = {
    "Encoder": _encoder,
    "Decoder": _decoder,
    "sinusoids": _positions,
    "sinusoids_2d": _positions_2d,
}


@cache
def layer(original: Any) -> Any:
    """What is handed on in the place of a layer of `lerobot.act.transformer`."""
    return LAYERS[original.__name__](original)


def _placed(positions: Tensor | None, tokens: Tensor) -> Tensor:
    return NOWHERE.to(tokens) if positions is None else positions
