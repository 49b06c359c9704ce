"""Names and shapes of the weights that both versions publish alike."""

from collections.abc import Iterator

Weight = tuple[str, tuple[int, ...]]


def linear(name: str, rows: int, columns: int) -> Iterator[Weight]:
    """A layer with a bias."""
    yield f"{name}.weight", (rows, columns)
    yield f"{name}.bias", (rows,)


def norm(name: str, width: int) -> Iterator[Weight]:
    """A normalisation."""
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def published_block(name: str, width: int, seen: int) -> Iterator[Weight]:
    """A block of attention and a feed-forward block."""
    yield from linear(f"{name}.attn1.to_q", width, width)
    yield from linear(f"{name}.attn1.to_k", width, seen)
    yield from linear(f"{name}.attn1.to_v", width, seen)
    yield from linear(f"{name}.attn1.to_out.0", width, width)
    yield from linear(f"{name}.ff.net.0.proj", 4 * width, width)
    yield from linear(f"{name}.ff.net.2", width, 4 * width)


def published_head(*, layers: int = 16, states: int = 64, actions: int = 32) -> Iterator[Weight]:
    """The action head, without tokens of its own.

    Args:
        layers: of the blocks that carry noise to actions.
        states: width of states.
        actions: width of actions.
    """
    head = "action_head."
    yield from linear(f"{head}model.timestep_encoder.timestep_embedder.linear_1", 1536, 256)
    yield from linear(f"{head}model.timestep_encoder.timestep_embedder.linear_2", 1536, 1536)
    for index in range(layers):
        block = f"{head}model.transformer_blocks.{index}"
        yield from linear(f"{block}.norm1.linear", 3072, 1536)
        yield from published_block(block, 1536, 1536 if index % 2 else 2048)
    yield from linear(f"{head}model.proj_out_1", 3072, 1536)
    yield from linear(f"{head}model.proj_out_2", 1024, 1536)
    for name, rows, columns in (
        ("state_encoder.layer1", states, 1024),
        ("state_encoder.layer2", 1024, 1536),
        ("action_encoder.W1", actions, 1536),
        ("action_encoder.W2", 3072, 1536),
        ("action_encoder.W3", 1536, 1536),
        ("action_decoder.layer1", 1024, 1024),
        ("action_decoder.layer2", 1024, actions),
    ):
        yield f"{head}{name}.W", (32, rows, columns)
        yield f"{head}{name}.b", (32, columns)
    yield f"{head}position_embedding.weight", (1024, 1536)
    yield from norm(f"{head}vlln", 2048)
    for index in range(4):
        block = f"{head}vl_self_attention.transformer_blocks.{index}"
        yield from norm(f"{block}.norm1", 2048)
        yield from norm(f"{block}.norm3", 2048)
        yield from published_block(block, 2048, 2048)
