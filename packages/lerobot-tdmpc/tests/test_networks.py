"""The networks: those of published checkpoints, name by name; and the shift of pictures."""

from collections.abc import Iterator

import torch

from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.policy import TDMPCPolicy
from lerobot.tdmpc.shifts import shifted

INPUTS = {
    "observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 84, 84)),
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(4,)),
    "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(6,)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))}


def of_layer(name: str, *weight: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", weight
    yield f"{name}.bias", weight[:1]


def published() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes with the default settings, of pictures 84x84, 4 joints and 6 numbers of the environment."""
    for model in ("model", "model_target"):
        encoder = f"{model}._encoder"
        for layer, channels, size in ((0, 3, 7), (2, 32, 5), (4, 32, 3), (6, 32, 3)):
            yield from of_layer(f"{encoder}.image_enc_layers.{layer}", 32, channels, size, size)
        yield from of_layer(f"{encoder}.image_enc_layers.9", 50, 288)
        yield from of_layer(f"{encoder}.image_enc_layers.10", 50)
        for name, size in (("state", 4), ("env_state", 6)):
            yield from of_layer(f"{encoder}.{name}_enc_layers.0", 256, size)
            yield from of_layer(f"{encoder}.{name}_enc_layers.2", 50, 256)
            yield from of_layer(f"{encoder}.{name}_enc_layers.3", 50)
        for name, size, outputs in (("_dynamics", 54, 50), ("_reward", 54, 1), ("_pi", 50, 4)):
            yield from of_layer(f"{model}.{name}.0", 512, size)
            yield from of_layer(f"{model}.{name}.1", 512)
            yield from of_layer(f"{model}.{name}.3", 512, 512)
            yield from of_layer(f"{model}.{name}.4", 512)
            yield from of_layer(f"{model}.{name}.6", outputs, 512)
        yield from of_layer(f"{model}._dynamics.7", 50)
        for name, size in (*((f"_Qs.{index}", 54) for index in range(5)), ("_V", 50)):
            yield from of_layer(f"{model}.{name}.0", 512, size)
            yield from of_layer(f"{model}.{name}.1", 512)
            yield from of_layer(f"{model}.{name}.3", 512, 512)
            yield from of_layer(f"{model}.{name}.5", 1, 512)


def test_weights_have_the_published_names_and_shapes() -> None:
    with without_weights():
        policy = TDMPCPolicy(TDMPCConfig(input_features=INPUTS, output_features=OUTPUTS), from_scratch=False)
    found = {name: tuple(value.shape) for name, value in policy.state_dict().items()}
    assert found == dict(published())
    assert len(found) == 208
    assert sum(parameter.numel() for parameter in policy.parameters()) == 5_498_630
    assert all(parameter.is_meta for parameter in policy.parameters())


def test_a_new_network_starts_as_published() -> None:
    torch.manual_seed(0)
    model = TDMPCPolicy(TDMPCConfig(input_features=INPUTS, output_features=OUTPUTS, device="cpu")).model
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or name == "_reward.6.weight" or (name.startswith("_Qs") and ".5." in name):
            assert not parameter.any(), name
        elif parameter.ndim == 1:
            assert bool((parameter == 1).all()), name
        else:
            flat = parameter.flatten(1)
            flat = flat if len(flat) <= flat.shape[1] else flat.T
            gain = 2.0 if parameter.ndim == 4 else 1.0
            assert torch.allclose(flat @ flat.T, gain * torch.eye(len(flat)), atol=1e-4), name


def test_a_shifted_picture_is_cut_out_of_the_padded_one() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(40, 2, 20, 20)
    padded = torch.nn.functional.pad(pictures, (2, 2, 2, 2), mode="replicate")
    found = set()
    for picture, frame in zip(shifted(pictures, 0.1), padded, strict=True):
        places = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if torch.allclose(picture, frame[:, top : top + 20, left : left + 20], atol=1e-5)
        ]
        assert len(places) == 1
        found |= set(places)
    assert {top for top, _ in found} == {left for _, left in found} == set(range(5))
