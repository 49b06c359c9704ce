"""Actions as tokens, with a real tokenizer of letters in a folder; and tasks as tokens with the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.policies.processing.config import ActionTokenizerConfig, TokenizerConfig
from lerobot.policies.processing.fast import FastCodec

LETTERS = "Action: |bdep"
SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]
IDS = {token: number for number, token in enumerate([*SPECIAL, *dict.fromkeys(LETTERS)])}
SIZE = len(IDS)
PREFIX = [IDS["<bos>"], *(IDS[letter] for letter in "Action: ")]
END = [IDS["|"], IDS["<eos>"]]
SAVED = {"action_tokenizer_name": "action_tokenizer", "paligemma_tokenizer_name": "action_text_tokenizer"}


class Rounding:
    """A tokenizer of actions: tenths, flattened."""

    def __call__(self, chunk: torch.Tensor) -> list[list[int]]:
        assert chunk.ndim == 3
        return [[round(10 * value) for value in chunk.flatten().tolist()]]

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "rounding.txt").write_text("10")


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tokenizer that ends every text with <eos>."""
    core = Tokenizer(models.WordLevel(IDS, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    core.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", IDS["<eos>"])])
    names = dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), SPECIAL, strict=True))
    folder = tmp_path_factory.mktemp("letters")
    PreTrainedTokenizerFast(tokenizer_object=core, **names).save_pretrained(folder)
    return str(folder)


def made(letters: str, *, own: bool = True, **fields: Any) -> Any:
    config = ActionTokenizerConfig(
        **({"fast_skip_tokens": 2, "max_action_tokens": 16, "paligemma_tokenizer_name": letters} | fields)
    )
    return build_step(config, {"action_tokenizer": Rounding()} if own else {})


class TestActionTokenizer(ProcessorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, letters: str) -> None:
        self.letters = letters

    def make(self, config: Any) -> Any:
        return build_step(config, {"action_tokenizer": Rounding()})

    @pytest.fixture
    def config(self) -> Any:
        return ActionTokenizerConfig(fast_skip_tokens=2, paligemma_tokenizer_name=self.letters)

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition(action=torch.rand(2, 3, 2), complementary_data={"task": ["a", "b"]})


def test_codes_take_the_places_at_the_end_of_the_vocabulary(letters: str) -> None:
    chunk = torch.tensor([[[0.0, 0.1], [0.2, 0.3]], [[0.1, 0.1], [0.1, 0.1]]])
    data = made(letters)(create_transition(action=chunk))["complementary_data"]
    last = SIZE - 1 - 2
    for row, codes in zip(data["action.tokens"].tolist(), [[0, 1, 2, 3], [1, 1, 1, 1]], strict=True):
        assert row == [*PREFIX, *(last - code for code in codes), *END, 0]
    assert data["action.token_mask"].tolist() == [[True] * 15 + [False]] * 2
    assert data["action.code_token_mask"].tolist() == [[False] * 9 + [True] * 4 + [False] * 3] * 2


def test_a_long_chunk_is_cut_with_a_warning_or_refused(letters: str, caplog: Any) -> None:
    chunk = create_transition(action=torch.zeros(1, 5, 2))
    data = made(letters)(chunk)["complementary_data"]
    assert data["action.tokens"].shape == (1, 16)
    assert data["action.token_mask"].all()
    assert "needs 21 tokens and is cut to max_action_tokens, 16" in caplog.text
    with pytest.raises(FeatureMismatchError, match="a chunk needs 21 tokens"):
        made(letters, allow_truncation=False)(chunk)


def test_without_an_action_nothing_happens(letters: str) -> None:
    transition = create_transition(observation={})
    assert made(letters)(transition) == transition


def test_a_single_action_is_no_chunk(letters: str) -> None:
    with pytest.raises(FeatureMismatchError, match=r"the action has the shape \(2, 3\)"):
        made(letters)(create_transition(action=torch.zeros(2, 3)))


def test_a_tokenizer_of_actions_needs_a_name(letters: str) -> None:
    with pytest.raises(CheckpointError, match="the tokenizer of actions has no name"):
        made(letters, own=False)


def test_a_tokenizer_of_actions_that_is_not_there_is_named(letters: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing does not exist"):
        made(letters, own=False, action_tokenizer_name=str(tmp_path / "nothing"))


def test_fast_in_a_folder_is_read_and_saved_beside_the_pipeline(letters: str, tmp_path: Path) -> None:
    chunks = np.random.default_rng(0).normal(size=(20, 4, 2))
    FastCodec.fit(chunks, vocab_size=300).save_pretrained(tmp_path / "fast")
    step = made(letters, own=False, action_tokenizer_name=str(tmp_path / "fast"), max_action_tokens=32)
    data = step(create_transition(action=torch.from_numpy(chunks[:1])))["complementary_data"]
    codes = FastCodec.from_pretrained(tmp_path / "fast")(chunks[:1])[0]
    given = data["action.tokens"][0][data["action.code_token_mask"][0]]
    assert given.tolist() == [SIZE - 1 - 2 - code for code in codes]
    assert step.save_artifacts(tmp_path) == SAVED
    assert FastCodec.from_pretrained(tmp_path / "action_tokenizer")(chunks[:1]) == [codes]


def test_a_tokenizer_of_ones_own_is_saved_beside_the_pipeline(letters: str, tmp_path: Path) -> None:
    assert made(letters).save_artifacts(tmp_path) == SAVED
    assert (tmp_path / "action_tokenizer" / "rounding.txt").exists()


def test_known_configurations_are_written_as_the_peer_knows_them(letters: str) -> None:
    saved = made(letters).get_config()
    assert "allow_truncation" not in saved
    assert made(letters, allow_truncation=False).get_config()["allow_truncation"] is False


# --- tasks -----------------------------------------------------------------------------------------------------------


def test_a_tokenizer_in_a_folder_is_loaded_used_and_saved(letters: str, tmp_path: Path) -> None:
    step = build_step(TokenizerConfig(tokenizer_name=letters, max_length=6))
    result = step(create_transition(observation={}, complementary_data={"task": ["bed", "x"]}))["observation"]
    bed = [IDS[letter] for letter in "bed"]
    assert result["observation.language.tokens"].tolist() == [
        [*bed, IDS["<eos>"], 0, 0],
        [IDS["<unk>"], IDS["<eos>"], 0, 0, 0, 0],
    ]
    assert result["observation.language.attention_mask"].sum(1).tolist() == [4, 2]
    assert step.save_artifacts(tmp_path) == {"tokenizer_name": "tokenizer"}
    again = build_step(TokenizerConfig(tokenizer_name=str(tmp_path / "tokenizer"), max_length=6))
    task = create_transition(observation={}, complementary_data={"task": "bed"})
    assert torch.equal(*(each(task)["observation"]["observation.language.tokens"] for each in (step, again)))


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer .*nothing' cannot be loaded"):
        build_step(TokenizerConfig(tokenizer_name=str(tmp_path / "nothing")))
