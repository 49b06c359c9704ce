"""Actions as codes, and back: a residual vector-quantised autoencoder.

Source: Lee et al. 2024, arXiv:2403.03181, section 3.2; Zeghidour et al. 2021, arXiv:2107.03312 (residual quantisation);
van den Oord et al. 2017, arXiv:1711.00937, appendix A.1 (codebooks as running means). Parameter names are those of
huggingface/lerobot.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn

from lerobot.vqbet.config import VQBeTConfig

LAYERS = 2
"""Codes of a chunk: a coarse one, and one for what it leaves."""

_DECAY, _EPSILON, _COMMITMENT = 0.8, 1e-5, 5.0


class Quantised(NamedTuple):
    """A batch as codes."""

    vectors: Tensor
    """What the codes stand for, `(N, Z)`; gradients pass as if it were the input."""
    codes: Tensor
    """`(N, 2)` int64."""
    commitment: Tensor
    """How far the input is from the codes, a scalar; 0 outside training."""


class Codebook(nn.Module):
    """What each code stands for: the running mean of the vectors it was nearest to.

    Args:
        size: `C`, number of codes.
        width: `Z`, numbers of a vector.
    """

    initted: Tensor
    cluster_size: Tensor
    embed_avg: Tensor
    embed: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        vectors = nn.init.kaiming_uniform_(torch.empty(1, size, width))
        # Codebooks may also be initialised by data, and files say that these are not waiting for any.
        self.register_buffer("initted", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(1, size))
        self.register_buffer("embed_avg", vectors.clone())
        self.register_buffer("embed", vectors)

    def nearest(self, vectors: Tensor) -> Tensor:
        """Find the nearest code `(N,)` int64 of each vector `(N, Z)`."""
        table = self.embed[0]
        # The square of the vector itself is the same for all codes.
        return (table.square().sum(-1) - 2 * vectors @ table.T).argmin(dim=-1)

    @torch.no_grad()
    def follow(self, vectors: Tensor, codes: Tensor) -> None:
        """Move each code towards the vectors `(N, Z)` it is nearest to, over all processes."""
        chosen = nn.functional.one_hot(codes, self.embed.shape[1]).to(vectors.dtype)
        count, total = chosen.sum(0, keepdim=True), (chosen.T @ vectors)[None]
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(count)
            distributed.all_reduce(total)
        self.cluster_size.lerp_(count, 1 - _DECAY)
        self.embed_avg.lerp_(total, 1 - _DECAY)
        seen = self.cluster_size.sum(-1, keepdim=True)
        smoothed = (self.cluster_size + _EPSILON) / (seen + self.cluster_size.shape[1] * _EPSILON) * seen
        self.embed.copy_(self.embed_avg / smoothed[..., None])


class Quantiser(nn.Module):
    """One codebook, under the name it is published by."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self._codebook = Codebook(size, width)

    @property
    def codebook(self) -> Codebook:
        """The codebook."""
        return self._codebook


class ResidualQuantiser(nn.Module):
    """Vectors to codes, each layer for what the one before leaves.

    Args:
        size: codes per layer.
        width: numbers of a vector.
    """

    freeze_codebook: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("freeze_codebook", torch.tensor(False))
        self.layers = nn.ModuleList(Quantiser(size, width) for _ in range(LAYERS))
        self._codebooks = [layer.codebook for layer in self.layers if isinstance(layer, Quantiser)]

    def forward(self, vectors: Tensor) -> Quantised:
        """Quantise vectors `(N, Z)`; while training, codebooks follow them unless they are frozen."""
        # In half precision a vector would be taken for another one.
        with torch.autocast(vectors.device.type, enabled=False):
            return self._quantise(vectors.float())

    def _quantise(self, vectors: Tensor) -> Quantised:
        follow = self.training and not bool(self.freeze_codebook)
        rest, total, commitment, codes = vectors, torch.zeros_like(vectors), vectors.new_zeros(()), []
        for book in self._codebooks:
            code = book.nearest(rest)
            found = book.embed[0, code]
            if self.training:
                if follow:
                    book.follow(rest.detach(), code)
                commitment = commitment + nn.functional.mse_loss(found, rest)
                # Gradients pass on to the vector.
                found = rest + (found - rest).detach()
            rest, total = rest - found.detach(), total + found
            codes.append(code)
        return Quantised(total, torch.stack(codes, dim=-1), commitment)

    def vectors(self, codes: Tensor) -> Tensor:
        """Give what codes `(N, 2)` stand for, `(N, Z)`."""
        return torch.stack([book.embed[0, codes[:, layer]] for layer, book in enumerate(self._codebooks)]).sum(0)


class ActionCodes(nn.Module):
    """Chunks of actions to codes, and back.

    Args:
        config: sizes, and how long codes are learned.
        actions: numbers of an action.
    """

    discretized: Tensor

    def __init__(self, config: VQBeTConfig, actions: int) -> None:
        super().__init__()
        self.steps = 0
        self._last_step = config.n_vqvae_training_steps
        self._shape = (config.action_chunk_size, actions)
        flat, hidden, width = (
            config.action_chunk_size * actions,
            config.vqvae_enc_hidden_dim,
            config.vqvae_embedding_dim,
        )
        self.register_buffer("discretized", torch.tensor(False))
        self.vq_layer = ResidualQuantiser(config.vqvae_n_embed, width)
        self.encoder = _layers(flat, hidden, hidden, width)
        self.decoder = _layers(width, hidden, hidden, flat)

    @property
    def learned(self) -> bool:
        """Whether learning codes is over."""
        return bool(self.discretized)

    def learn(self, chunks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Look how well codes describe chunks; while training, this is a step of learning them.

        Args:
            chunks: `(N, W, Da)`.

        Returns:
            The loss; the mean absolute error of an action's element; the codes `(N, 2)`.
        """
        quantised: Quantised = self.vq_layer(self.encoder(chunks.flatten(1)))
        error = (chunks.flatten(1) - self.decoder(quantised.vectors)).abs().mean()
        if self.training:
            self.steps += 1
            if self.steps >= self._last_step:
                self.discretized.fill_(True)
                self.vq_layer.freeze_codebook.fill_(True)
        return error + _COMMITMENT * quantised.commitment, error.detach(), quantised.codes

    @torch.no_grad()
    def encode(self, chunks: Tensor) -> Tensor:
        """Give the codes `(N, 2)` of chunks `(N, W, Da)`."""
        codes: Tensor = self.vq_layer(self.encoder(chunks.flatten(1))).codes
        return codes

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Give the chunks `(N, W, Da)` that codes `(N, 2)` stand for."""
        chunks: Tensor = self.decoder(self.vq_layer.vectors(codes)).unflatten(-1, self._shape)
        return chunks


def _layers(*widths: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        modules += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*modules[:-1])
