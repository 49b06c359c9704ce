"""Two decoders that read beside each other: one what is seen and told, the other, after it, what it works on.

Source: Black et al. 2024, arXiv:2410.24164, section IV.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lerobot.policies.networks.attention import Rotary, attend, block_mask, places, turned
from lerobot.policies.networks.decoder import Projected


class Tokens(NamedTuple):
    """What a stream reads.

    Attributes:
        embedded: `(B, L, width)`.
        present: `(B, L)` bool; false for padding.
        begins: `(L,)` bool; whether a block of tokens begins, which those before it do not see.
    """

    embedded: Tensor
    present: Tensor
    begins: Tensor


def attend_jointly(first: Projected, second: Projected, by: Rotary, mask: Tensor, *, exact: bool = True) -> Tensor:
    """Attend as if both streams were one sequence.

    Args:
        first: of the stream that is read first.
        second: of that behind it.
        by: of the places of both.
        mask: `(B, L, L)` bool, of both.
        exact: see `attend`.

    Returns:
        `(B, L, heads * head_width)`, of both.
    """
    query = torch.cat([first.query, second.query], dim=2)
    key, value = torch.cat([first.key, second.key], dim=2), torch.cat([first.value, second.value], dim=2)
    return attend(turned(query, by), turned(key, by), value, mask, exact=exact)


def joined_view(prefix: Tokens, suffix: Tokens) -> tuple[Tensor, Tensor]:
    """Say who sees whom where a suffix is read together with its prefix.

    Returns:
        The mask `(B, P + L, P + L)` bool, and the places `(B, P + L)`.
    """
    present = torch.cat([prefix.present, suffix.present], dim=1)
    return block_mask(present, torch.cat([prefix.begins, suffix.begins])), places(present)


def later_view(present: Tensor, suffix: Tokens) -> tuple[Tensor, Tensor]:
    """Say who sees whom where a suffix is read after a prefix that was kept.

    Args:
        present: of the prefix, `(B, P)` bool.
        suffix: what is read.

    Returns:
        The mask `(B, L, P + L)` bool, and the places `(B, L)`.
    """
    visible = present[:, None, :].expand(*suffix.present.shape, -1)
    mask = torch.cat([visible, block_mask(suffix.present, suffix.begins)], dim=2)
    return mask, present.sum(dim=1, keepdim=True) + places(suffix.present)
