"""The parts of the network, against independent definitions."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lerobot.act.transformer import Encoder, LayerSettings, sinusoids, sinusoids_2d


def test_position_codes_are_those_of_the_transformer_paper() -> None:
    codes = sinusoids(torch.arange(7).double(), 6)
    for position in range(7):
        for pair in range(3):
            angle = position / 10000 ** (2 * pair / 6)
            assert codes[position, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-7)
            assert codes[position, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-7)


def test_position_codes_of_a_map_are_rows_then_columns() -> None:
    codes = sinusoids_2d(3, 5, 8).numpy()
    assert codes.shape == (8, 3, 5)
    for row, column in np.ndindex(3, 5):
        for half, coordinate in ((0, (row + 1) / (3 + 1e-6)), (4, (column + 1) / (5 + 1e-6))):
            for element in range(4):
                angle = coordinate * 2 * math.pi / 10000 ** (2 * (element // 2) / 4)
                expected = math.cos(angle) if element % 2 else math.sin(angle)
                assert codes[half + element, row, column] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_an_encoder_without_positions_is_that_of_torch(pre_norm: bool) -> None:
    settings = LayerSettings(width=16, heads=4, hidden=24, dropout=0.0, activation="relu", pre_norm=pre_norm)
    ours = Encoder(1, settings)
    reference = nn.TransformerEncoderLayer(16, 4, 24, dropout=0.0, norm_first=pre_norm)
    reference.load_state_dict(ours.layers[0].state_dict())
    tokens = torch.randn(5, 2, 16)
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[0, 3:] = True
    expected = reference(tokens, src_key_padding_mask=padding)
    found = ours(tokens, torch.zeros(5, 1, 16), padding)
    assert torch.allclose(found, ours.norm(expected), atol=1e-6)
