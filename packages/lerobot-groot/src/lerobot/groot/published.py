"""Sizes as files of NVIDIA's layout say them: `config.json` of the model, and that of Eagle beside its tokenizer.

What such a file can say and the networks here do not have is refused, and never left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.groot.sizes import (
    EAGLE_ASSETS,
    GROOT_N15_3B,
    PUBLISHED,
    EagleSize,
    GrootN15Size,
    HeadSize,
    TransformerSize,
)
from lerobot.policies.checkpoint.files import CONFIG, Checkpoint
from lerobot.policies.networks.sizes import DecoderSize, vision_size

Fields = Mapping[str, Any]

MODEL_TYPE, ARCHITECTURE = "gr00t_n1_5", "GR00T_N1_5"
"""What `config.json` of the model calls itself."""


def size_of(base: str, assets: str, *, states: int, actions: int) -> GrootN15Size:
    """Give the sizes that files say.

    Args:
        base: folder or Hub repository of NVIDIA's layout.
        assets: folder or Hub repository with Eagle's files.
        states: width of states, which the base must have.
        actions: width of actions, which the base must have.

    Raises:
        CheckpointError: there are no such files, they are of something else, or say what the networks do not have.
    """
    if (base, assets) == (GROOT_N15_3B, EAGLE_ASSETS):
        return PUBLISHED
    if base == GROOT_N15_3B:
        kept, projected, head = PUBLISHED.eagle.text.layers, PUBLISHED.eagle.projected_width, PUBLISHED.head
    else:
        path = Checkpoint.at(base).file(CONFIG)
        kept, projected, head = understood(str(path), lambda: _model(read_json(path), states, actions))
    if assets == EAGLE_ASSETS:
        eagle = PUBLISHED.eagle
        text = eagle.text.model_copy(update={"layers": kept})
        return GrootN15Size(eagle=eagle.model_copy(update={"text": text, "projected_width": projected}), head=head)
    described = Checkpoint.at(assets).file(CONFIG)
    return understood(
        str(described), lambda: GrootN15Size(eagle=_eagle(read_json(described), kept, projected), head=head)
    )


Read = TypeVar("Read")


def understood(path: str, read: Callable[[], Read], version: str = "N1.5") -> Read:
    """Read a file, and say in one line what is wrong with it.

    Args:
        path: of the file.
        read: reads it.
        version: of GR00T, for messages.

    Raises:
        CheckpointError: it is not what it should be.
    """
    try:
        return read()
    except ValidationError as error:
        raise CheckpointError(f"{path} has no such sizes: {error.errors()[0]['msg']}") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not understood: {error}", expected=f"that of a GR00T {version}") from error


def require_fields(fields: Fields, **wanted: Any) -> None:
    """Refuse fields that have another value; what a file leaves out has the one that is first here."""
    for name, value in wanted.items():
        if (found := fields.get(name, value)) != value:
            raise ValueError(f"{name} is {found}, and only {value} is supported")


def _model(fields: Fields, states: int, actions: int) -> tuple[int, int | None, HeadSize]:
    """Layers of the language model that are kept, width they are projected to, and the action head."""
    if fields.get("model_type") != MODEL_TYPE and ARCHITECTURE not in (fields.get("architectures") or ()):
        raise ValueError(f"model_type is {fields.get('model_type')}")
    backbone, head = fields["backbone_cfg"], fields["action_head_cfg"]
    require_fields(backbone, reproject_vision=False)
    require_fields(head, add_pos_embed=True, use_vlln=True, expand_batch=None)
    require_fields(head, action_dim=actions, max_state_dim=states)
    require_fields(fields, action_dim=head["action_dim"], action_horizon=head["action_horizon"])
    dit = head["diffusion_model_cfg"]
    require_fields(dit, norm_type="ada_norm", interleave_self_attention=True, output_dim=head["hidden_size"])
    blocks = transformer_size(dit)
    require_fields(head, input_embedding_dim=blocks.width, backbone_embedding_dim=dit["cross_attention_dim"])
    size = HeadSize(
        reader=transformer_size(head["vl_self_attention_cfg"]),
        dit=blocks,
        hidden=head["hidden_size"],
        embodiments=head.get("max_num_embodiments", 32),
        future_tokens=head.get("num_target_vision_tokens", 32),
        positions=head.get("max_seq_len", 1024),
        horizon=head["action_horizon"],
        steps=head["num_inference_timesteps"],
        buckets=head.get("num_timestep_buckets", 1000),
        noise_s=head.get("noise_s", 0.999),
        beta_alpha=head.get("noise_beta_alpha", 1.5),
        beta_beta=head.get("noise_beta_beta", 1.0),
    )
    # Absent, it would be another width than that of published weights.
    return backbone["select_layer"], backbone["project_to_dim"], size


def transformer_size(fields: Fields) -> TransformerSize:
    """Read sizes of blocks.

    Raises:
        KeyError: one is missing.
        ValueError: one is no size, or there is something that the blocks do not have.
    """
    # What is left out stands for places by sines, which published weights do without.
    places = {"positional_embeddings": fields.get("positional_embeddings", "sinusoidal")}
    require_fields(places, positional_embeddings=None)
    require_fields(fields, final_dropout=True, attention_bias=True, activation_fn="gelu-approximate")
    return TransformerSize(
        layers=fields["num_layers"],
        heads=fields["num_attention_heads"],
        head_width=fields["attention_head_dim"],
        dropout=fields.get("dropout", 0.1),
    )


def _eagle(fields: Fields, kept: int, projected: int | None) -> EagleSize:
    vision, text = fields["vision_config"], fields["text_config"]
    require_fields(fields, downsample_ratio=0.5, use_backbone_lora=0, use_llm_lora=0)
    require_fields({"select_layer": fields.get("select_layer", -4)}, select_layer=-1)
    require_fields(vision, model_type="siglip_vision_model", hidden_act="gelu_pytorch_tanh", num_channels=3)
    require_fields(text, architectures=["Qwen3ForCausalLM"], attention_bias=False, hidden_act="silu", rope_scaling=None)
    if kept > text["num_hidden_layers"]:
        raise ValueError(f"{kept} layers of {text['num_hidden_layers']} are to be kept")
    return EagleSize(
        vision=vision_size(vision),
        text=DecoderSize(
            width=text["hidden_size"],
            hidden=text["intermediate_size"],
            layers=kept,
            heads=text["num_attention_heads"],
            key_heads=text["num_key_value_heads"],
            head_width=text["head_dim"],
            vocabulary=text["vocab_size"],
            norm_eps=text.get("rms_norm_eps", 1e-6),
        ),
        wavelength=text.get("rope_theta", 10_000.0),
        image_token=fields["image_token_index"],
        pixel_shuffle=fields.get("use_pixel_shuffle", True),
        connector_layers=fields.get("mlp_connector_layers", 2),
        projected_width=projected,
    )
