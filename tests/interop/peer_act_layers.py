"""Runs under the peer's interpreter: its own layers of ACT, with random weights, on random tokens.

Usage: python peer_act_layers.py FOLDER; writes weights.safetensors and results.safetensors.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from lerobot.policies.act.modeling_act import (
    ACTDecoder,
    ACTEncoder,
    ACTSinusoidalPositionEmbedding2d,
    ACTTemporalEnsembler,
    create_sinusoidal_pos_embedding,
)
from safetensors.torch import load_file, save_file


def main(folder: Path) -> None:
    data = load_file(folder / "data.safetensors")
    settings = {
        "dim_model": 16,
        "n_heads": 2,
        "dim_feedforward": 24,
        "dropout": 0.1,
        "feedforward_activation": "gelu",
        "n_encoder_layers": 2,
        "n_vae_encoder_layers": 1,
        "n_decoder_layers": 2,
    }
    weights, results = {}, {}
    for name, pre_norm in (("before", True), ("after", False)):
        config = SimpleNamespace(**settings, pre_norm=pre_norm)
        layers = {
            "encoder": ACTEncoder(config),
            "vae": ACTEncoder(config, is_vae_encoder=True),
            "decoder": ACTDecoder(config),
        }
        for part, layer in layers.items():
            layer.eval()
            for parameter in layer.parameters():
                torch.nn.init.normal_(parameter, std=0.3)
            weights |= {f"{name}.{part}.{key}": value for key, value in layer.state_dict().items()}
        tokens, positions = data["tokens"], data["positions"]
        results[f"{name}.bare"] = layers["encoder"](tokens)
        results[f"{name}.encoder"] = layers["encoder"](tokens, pos_embed=positions)
        results[f"{name}.vae"] = layers["vae"](tokens, pos_embed=positions, key_padding_mask=data["padding"])
        results[f"{name}.decoder"] = layers["decoder"](
            data["queries"], tokens, decoder_pos_embed=data["query_positions"], encoder_pos_embed=positions
        )
    results["sinusoids"] = create_sinusoidal_pos_embedding(13, 16)
    results["sinusoids_2d"] = ACTSinusoidalPositionEmbedding2d(8)(data["map"])
    ensembler = ACTTemporalEnsembler(0.03, data["chunks"].shape[2])
    results["ensemble"] = torch.stack([ensembler.update(chunk) for chunk in data["chunks"]])
    save_file({key: value.contiguous() for key, value in weights.items()}, folder / "weights.safetensors")
    save_file({key: value.detach().contiguous() for key, value in results.items()}, folder / "results.safetensors")


main(Path(sys.argv[1]))
