"""The layers of ACT that third-party policies build on, by lerobot-compat, beside those of huggingface/lerobot."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.peer

CONFIG = {
    "dim_model": 16,
    "n_heads": 2,
    "dim_feedforward": 24,
    "dropout": 0.1,
    "feedforward_activation": "gelu",
    "n_encoder_layers": 2,
    "n_vae_encoder_layers": 1,
    "n_decoder_layers": 2,
}
Tensors = dict[str, torch.Tensor]


def inputs() -> Tensors:
    torch.manual_seed(3)
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    return {
        "tokens": torch.randn(5, 2, 16),
        "positions": torch.randn(5, 1, 16),
        "padding": padding,
        "queries": torch.randn(3, 2, 16),
        "query_positions": torch.randn(3, 1, 16),
        "map": torch.randn(2, 7, 4, 6),
        "chunks": torch.randn(9, 2, 4, 3),
    }


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tensors, Tensors]:
    """Weights and results of huggingface/lerobot."""
    folder = tmp_path_factory.mktemp("layers")
    save_file(inputs(), folder / "data.safetensors")
    script = Path(__file__).with_name("peer_act_layers.py")
    subprocess.run([os.environ["LEROBOT_PEER_PYTHON"], script, folder], check=True, timeout=300)
    return load_file(folder / "weights.safetensors"), load_file(folder / "results.safetensors")


def loaded(layer: torch.nn.Module, weights: Tensors, prefix: str) -> torch.nn.Module:
    own = {key.removeprefix(f"{prefix}."): value for key, value in weights.items() if key.startswith(f"{prefix}.")}
    layer.load_state_dict(own, strict=True)
    return layer.eval()


@pytest.mark.parametrize(("name", "pre_norm"), [("before", True), ("after", False)])
def test_stacks_with_their_weights_compute_what_they_compute(
    theirs: tuple[Tensors, Tensors], name: str, pre_norm: bool
) -> None:
    from lerobot.policies.act.modeling_act import ACTDecoder, ACTEncoder

    weights, results = theirs
    data, config = inputs(), SimpleNamespace(**CONFIG, pre_norm=pre_norm)
    encoder = loaded(ACTEncoder(config), weights, f"{name}.encoder")
    vae = loaded(ACTEncoder(config, is_vae_encoder=True), weights, f"{name}.vae")
    decoder = loaded(ACTDecoder(config), weights, f"{name}.decoder")
    tokens, positions = data["tokens"], data["positions"]
    found = {
        "bare": encoder(tokens),
        "encoder": encoder(tokens, pos_embed=positions),
        "vae": vae(tokens, pos_embed=positions, key_padding_mask=data["padding"]),
        "decoder": decoder(
            data["queries"], tokens, decoder_pos_embed=data["query_positions"], encoder_pos_embed=positions
        ),
    }
    for part, value in found.items():
        torch.testing.assert_close(value, results[f"{name}.{part}"], rtol=0, atol=1e-5)


def test_positions_and_the_average_of_chunks_are_theirs(theirs: tuple[Tensors, Tensors]) -> None:
    from lerobot.policies.act import modeling_act

    _, results = theirs
    data = inputs()
    torch.testing.assert_close(modeling_act.create_sinusoidal_pos_embedding(13, 16), results["sinusoids"])
    codes = modeling_act.ACTSinusoidalPositionEmbedding2d(8)(data["map"])
    torch.testing.assert_close(codes, results["sinusoids_2d"], rtol=0, atol=1e-5)
    ensembler = modeling_act.ACTTemporalEnsembler(0.03, 4)
    found = torch.stack([ensembler.update(chunk) for chunk in data["chunks"]])
    torch.testing.assert_close(found, results["ensemble"], rtol=0, atol=1e-5)
