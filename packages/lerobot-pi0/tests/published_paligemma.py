"""Names and shapes of the weights of PaliGemma, as huggingface/lerobot writes them into published checkpoints."""

from collections.abc import Iterator

BOTH = "paligemma_with_expert."
VLM = f"{BOTH}paligemma."
Weight = tuple[str, tuple[int, ...]]


def published_vision() -> Iterator[Weight]:
    vision = f"{VLM}model.vision_tower.vision_model."
    yield f"{vision}embeddings.patch_embedding.weight", (1152, 3, 14, 14)
    yield f"{vision}embeddings.patch_embedding.bias", (1152,)
    yield f"{vision}embeddings.position_embedding.weight", (256, 1152)
    for layer in range(27):
        block = f"{vision}encoder.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{block}self_attn.{name}.weight", (1152, 1152)
            yield f"{block}self_attn.{name}.bias", (1152,)
        for name in ("layer_norm1", "layer_norm2"):
            yield f"{block}{name}.weight", (1152,)
            yield f"{block}{name}.bias", (1152,)
        for name, rows, columns in (("fc1", 4304, 1152), ("fc2", 1152, 4304)):
            yield f"{block}mlp.{name}.weight", (rows, columns)
            yield f"{block}mlp.{name}.bias", (rows,)
    for name in ("weight", "bias"):
        yield f"{vision}post_layernorm.{name}", (1152,)
    yield f"{VLM}model.multi_modal_projector.linear.weight", (2048, 1152)
    yield f"{VLM}model.multi_modal_projector.linear.bias", (2048,)


def published_decoder(prefix: str, width: int, hidden: int, *, adaptive: bool) -> Iterator[Weight]:
    norms = [f"layers.{layer}.{name}_layernorm" for layer in range(18) for name in ("input", "post_attention")]
    for norm in (*norms, "norm"):
        if adaptive:
            yield f"{prefix}{norm}.dense.weight", (3 * width, width)
            yield f"{prefix}{norm}.dense.bias", (3 * width,)
        else:
            yield f"{prefix}{norm}.weight", (width,)
    for layer in range(18):
        block = f"{prefix}layers.{layer}."
        yield f"{block}self_attn.q_proj.weight", (2048, width)
        yield f"{block}self_attn.k_proj.weight", (256, width)
        yield f"{block}self_attn.v_proj.weight", (256, width)
        yield f"{block}self_attn.o_proj.weight", (width, 2048)
        yield f"{block}mlp.gate_proj.weight", (hidden, width)
        yield f"{block}mlp.up_proj.weight", (hidden, width)
        yield f"{block}mlp.down_proj.weight", (width, hidden)
