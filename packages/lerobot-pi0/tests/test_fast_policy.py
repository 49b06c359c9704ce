"""Pi0-FAST: the contract of policies, published weights and settings, and what it says and hears."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_paligemma import published_decoder, published_vision
from tiny_pi import VOCABULARY, fast_settings

from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.pi0.fast_config import PI0FastConfig
from lerobot.pi0.fast_modeling import PI0Fast
from lerobot.pi0.fast_policy import PI0FastPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.networks.streams import Tokens, joined_view
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.fast import FastCodec
from lerobot.policies.processing.pipelines import Processors, make_processors
from lerobot.policies.testing import statistics
from lerobot.policies.vla.testing import VLAContract

VLM = "paligemma_with_expert.paligemma."


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(rows, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": torch.randn(rows, 5, generator=generator),
        "observation.language.tokens": torch.randint(5, 290, (rows, 7), generator=generator),
        "observation.language.attention_mask": mask,
        "action": torch.randn(rows, 6, 4, generator=generator),
        "action.tokens": torch.randint(5, VOCABULARY, (rows, 20), generator=generator),
        "action.token_mask": torch.arange(20) < torch.randint(9, 21, (rows, 1), generator=generator),
    }


class TestContractOfPI0Fast(VLAContract):
    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self, tokenizer: Path, codec: Path) -> PI0FastConfig:
        return PI0FastConfig(**fast_settings(tokenizer, codec))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


@pytest.fixture
def policy(tokenizer: Path, codec: Path) -> PI0FastPolicy:
    return make(tokenizer, codec)


def make(tokenizer: Path, codec: Path, **changes: Any) -> PI0FastPolicy:
    torch.manual_seed(0)
    made: PI0FastPolicy = PI0FastConfig(**fast_settings(tokenizer, codec, **changes)).build()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_published_size_has_the_published_weights() -> None:
    with without_weights():
        found = PI0Fast(PI0FastConfig(dtype="bfloat16")).state_dict()
    expected = {
        **dict(published_vision()),
        **dict(published_decoder(f"{VLM}model.language_model.", 2048, 16384, adaptive=False)),
        f"{VLM}model.language_model.embed_tokens.weight": (257152, 2048),
        f"{VLM}lm_head.weight": (257152, 2048),
    }
    assert {name: tuple(each.shape) for name, each in found.items()} == expected
    assert (len(found), sum(each.numel() for each in found.values())) == (604, 3_449_982_704)


def test_settings_of_older_files_and_of_the_peer_are_accepted(tmp_path: Path) -> None:
    fields = {**PI0FastConfig().model_dump(mode="json"), "action_tokenizer_name": "physical-intelligence/fast"}
    (tmp_path / "config.json").write_text(json.dumps(fields))
    assert Checkpoint.at(tmp_path).config().model_dump(mode="json") == fields


def test_tokenizers_that_are_not_there_are_named_when_it_is_loaded(policy: PI0FastPolicy, tmp_path: Path) -> None:
    policy.save_pretrained(tmp_path / "saved")
    for name in ("text_tokenizer_name", "action_tokenizer_name"):
        config = policy.config.model_copy(update={name: str(tmp_path / "gone")})
        with pytest.raises(CheckpointError, match="gone"):
            PreTrainedPolicy.from_pretrained(tmp_path / "saved", config=config)


def test_tokenizers_go_with_a_checkpoint_and_one_that_is_given_holds_for_all(
    tokenizer: Path, codec: Path, tmp_path: Path
) -> None:
    """Named folders that are gone, as after a move; and one of another scale in the place of the first."""
    named = [shutil.copytree(folder, tmp_path / folder.name) for folder in (tokenizer, codec)]
    trained = make(*named)
    made = make_processors(trained.config, statistics(trained.config))
    PolicyWithProcessors(trained, made).save_pretrained(tmp_path / "saved")
    chunk = torch.randn(1, 6, 4).mul(0.3)
    said = words(made, chunk)
    trained.reset()
    for folder in named:
        shutil.rmtree(folder)
    moved = (tmp_path / "saved").rename(tmp_path / "moved")
    loaded = PolicyWithProcessors.from_pretrained(moved)
    assert words(loaded.processors, chunk) == said
    assert loaded.policy.config == trained.config
    assert torch.equal(loaded.policy.heard(said), trained.heard(said))

    finer = dataclasses.replace(FastCodec.from_pretrained(codec), scale=20.0)
    finer.save_pretrained(tmp_path / "finer")
    changed = trained.config.model_copy(update={"action_tokenizer_name": str(tmp_path / "finer")})
    loaded = PolicyWithProcessors.from_pretrained(moved, config=changed)
    assert words(loaded.processors, chunk) != said
    assert torch.equal(loaded.policy.heard(said), trained.heard(said) / 2)


# --- learning --------------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_loss_is_that_of_saying_each_token_after_those_before_it(policy: PI0FastPolicy) -> None:
    """One token after the other, without padding, and with the definition of cross entropy."""
    batch = tiny_batch(2)
    losses = []
    for row in range(2):
        one = {key: value[row : row + 1] for key, value in batch.items()}
        length, prompt = int(one["action.token_mask"].sum()), int(one["observation.language.attention_mask"].sum())
        tokens, mask = (one[f"observation.language.{key}"][:, :prompt] for key in ("tokens", "attention_mask"))
        prefix = policy._prefix(one, tokens, mask)
        for place in range(1, length):
            said = one["action.tokens"][:, : place + 1]
            # The sum over a sentence, less the sum over the sentence without its last token, is what that one adds.
            longer = policy.model(prefix, said, torch.ones_like(said, dtype=torch.bool)) * place
            shorter = 0.0
            if place > 1:
                before = said[:, :-1]
                shorter = policy.model(prefix, before, torch.ones_like(before, dtype=torch.bool)) * (place - 1)
            losses.append(float(longer - shorter))
    loss, found = policy.forward(batch)
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-4)
    assert found == {"ce_loss": pytest.approx(float(loss))}


def test_recomputed_activations_give_the_same_gradients(tokenizer: Path, codec: Path) -> None:
    gradients = []
    for recomputed in (False, True):
        policy = make(tokenizer, codec, gradient_checkpointing=recomputed).train()
        policy.forward(tiny_batch())[0].backward()
        gradients.append([each.grad for each in policy.parameters() if each.grad is not None])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))


def test_a_batch_without_tokens_of_actions_is_refused(policy: PI0FastPolicy) -> None:
    batch = tiny_batch()
    del batch["action.tokens"]
    with pytest.raises(FeatureMismatchError, match=r"got no 'action\.tokens'"):
        policy.forward(batch)


# --- saying and hearing ----------------------------------------------------------------------------------------------


def sentences(policy: PI0FastPolicy, chunks: torch.Tensor) -> list[list[int]]:
    """What the pre-processor makes of chunks, but for the token that begins them."""
    return [words(make_processors(policy.config, statistics(policy.config)), chunk[None]) for chunk in chunks]


def words(processors: Processors, chunk: torch.Tensor) -> list[int]:
    """What processors make of a chunk, but for the token that begins it."""
    data = processors.preprocessor.steps[6]({"action": chunk, "complementary_data": {}})["complementary_data"]
    found: list[int] = data["action.tokens"][0, 1:].tolist()
    return found


def test_what_is_taught_is_heard_again(policy: PI0FastPolicy) -> None:
    chunks = torch.randn(5, 6, 4).cumsum(1).mul(0.3).clamp(-2, 2)
    for chunk, said in zip(chunks, sentences(policy, chunks), strict=True):
        assert (policy.heard(said) - chunk).abs().max() <= 6**0.5 / 20 + 1e-6


def test_the_chunk_is_heard_whole_whatever_is_executed(tokenizer: Path, codec: Path) -> None:
    chunks = torch.randn(1, 6, 4).mul(0.3)
    whole, part = (make(tokenizer, codec, n_action_steps=steps) for steps in (6, 3))
    said = sentences(whole, chunks)[0]
    assert torch.equal(whole.heard(said), part.heard(said))


@torch.no_grad()
def test_the_likeliest_token_is_said_until_all_have_ended(policy: PI0FastPolicy) -> None:
    """Against reading all anew for every token."""
    batch, model = tiny_batch(3), policy.model
    tokens, mask = (batch[f"observation.language.{key}"] for key in ("tokens", "attention_mask"))
    begin = torch.full((3, 1), 2)
    prefix = policy._prefix(batch, torch.cat([tokens, begin], 1), torch.cat([mask, begin > 0], 1))
    said = model.say(prefix, -1, 6, 0.0)
    for step in range(6):
        before = said[:, :step]
        told = Tokens(model.paligemma.read(before), torch.ones_like(before, dtype=torch.bool), torch.ones(step).bool())
        mask, places = joined_view(prefix, told)
        x = torch.cat([prefix.embedded, told.embedded], 1)
        read = model.paligemma.language_model(x, model.paligemma.turn(places), mask)
        assert torch.equal(model._scores(read[:, -1]).argmax(-1), said[:, step]), step
    alone = Tokens(prefix.embedded[:1], prefix.present[:1], prefix.begins)
    assert model.say(alone, int(said[0, 1]), 6, 0.0).tolist()[0][2:] == [0] * 4


def test_drawn_tokens_follow_the_generator(tokenizer: Path, codec: Path) -> None:
    policy, batch = make(tokenizer, codec, temperature=1.5), tiny_batch(2)
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(policy.predict_action_chunk(batch))
    assert torch.equal(drawn[0], drawn[1])


def test_what_begins_no_chunk_stops_the_policy(tokenizer: Path, codec: Path) -> None:
    policy = make(tokenizer, codec, validate_action_token_prefix=True)
    with pytest.raises(LeRobotError, match="which begin no chunk of actions") as caught:
        policy.select_action(tiny_batch(2))
    assert "--policy.validate_action_token_prefix=false" in caught.value.hint


def test_what_is_no_action_is_zeros_with_a_warning(policy: PI0FastPolicy, caplog: pytest.LogCaptureFixture) -> None:
    assert torch.equal(policy.heard([0, 0, 0]), torch.zeros(6, 4))
    assert "said what is no action: code" in caplog.text
