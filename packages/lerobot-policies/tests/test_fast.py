"""FAST, against the same method written with scipy and `transformers`, and its own promises."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct, idct
from transformers import PreTrainedTokenizerFast

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.policies.processing.fast import FastCodec

CHUNKS = np.cumsum(np.random.default_rng(0).normal(scale=0.1, size=(60, 8, 3)), axis=1)


@pytest.fixture(scope="module")
def codec() -> FastCodec:
    return FastCodec.fit(CHUNKS, scale=10, vocab_size=200)


def test_codes_are_those_of_scipy_and_transformers(codec: FastCodec, tmp_path: Path) -> None:
    codec.save_pretrained(tmp_path)
    theirs = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    for chunk in CHUNKS:
        coefficients = np.around(dct(chunk, axis=0, norm="ortho") * 10).flatten().astype(int)
        text = "".join(chr(max(each - codec.min_token, 0)) for each in coefficients)
        codes = theirs(text)["input_ids"]
        assert codec(chunk[None]) == [codes]
        back = np.array([ord(sign) for sign in theirs.decode(codes)]) + codec.min_token
        wanted = idct(back.reshape(8, 3) / 10, axis=0, norm="ortho")
        np.testing.assert_allclose(codec.decode(codes, 8, 3), wanted, atol=1e-12)


def test_what_often_comes_together_is_one_code(codec: FastCodec) -> None:
    assert np.mean([len(codes) for codes in codec(CHUNKS)]) < 0.8 * CHUNKS[0].size


@given(st.integers(0, 2**32), st.floats(1, 50), st.integers(1, 20), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_a_chunk_comes_back_as_near_as_rounding_leaves_it(seed: int, scale: float, steps: int, width: int) -> None:
    chunks = np.random.default_rng(seed).uniform(-1, 1, size=(3, steps, width))
    codec = FastCodec.fit(chunks, scale=scale, vocab_size=2000)
    for chunk, codes in zip(chunks, codec(chunks), strict=True):
        error = np.abs(codec.decode(codes, steps, width) - chunk).max()
        assert error <= np.sqrt(steps) / (2 * scale) + 1e-9


def test_missing_coefficients_are_none_and_others_are_left_out(codec: FastCodec) -> None:
    codes = codec(CHUNKS[:1])[0]
    whole = codec.decode(codes, 8, 3)
    np.testing.assert_allclose(codec.decode([*codes, codes[0]], 8, 3), whole)
    assert codec.decode([], 8, 3).tolist() == np.zeros((8, 3)).tolist()


@pytest.mark.parametrize("codes", [[-1], [200], [10_000]])
def test_a_code_that_is_none_is_refused(codec: FastCodec, codes: list[int]) -> None:
    with pytest.raises(ValueError, match=f"code {codes[0]} is not in 0 to {codec.codes - 1}"):
        codec.decode(codes, 8, 3)


def test_half_a_sign_is_refused() -> None:
    codec = FastCodec.fit(np.random.default_rng(1).uniform(-1, 1, size=(5, 10, 4)), scale=60, vocab_size=400)
    halves = [code for code in range(codec.codes) if "\ufffd" in codec.merges.decode([code])]
    assert halves
    with pytest.raises(ValueError, match="end within a sign"):
        codec.decode(halves[:1], 10, 4)


def test_actions_that_reach_too_far_are_refused() -> None:
    with pytest.raises(LeRobotError, match="coefficients reach from") as caught:
        FastCodec.fit(CHUNKS * 1000)
    assert "vocab_size above" in caught.value.expected


@pytest.mark.parametrize("change", [{"scale": None}, {"min_token": None}, "merges", "json"])
def test_damaged_files_are_named(codec: FastCodec, tmp_path: Path, change: Any) -> None:
    codec.save_pretrained(tmp_path)
    settings_file = tmp_path / "processor_config.json"
    fields = json.loads(settings_file.read_text())
    if change == "merges":
        (tmp_path / "tokenizer.json").write_text("{}")
    elif change == "json":
        settings_file.write_text("{")
    else:
        settings_file.write_text(json.dumps({key: value for key, value in fields.items() if key not in change}))
    with pytest.raises(CheckpointError, match="is no FAST tokenizer of actions"):
        FastCodec.from_pretrained(tmp_path)


def test_a_folder_without_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no processor_config\.json"):
        FastCodec.from_pretrained(tmp_path)


def test_what_is_lost_is_said(codec: FastCodec, caplog: pytest.LogCaptureFixture) -> None:
    far = CHUNKS[:1] * 20
    lost = codec.decode(codec(far)[0], 8, 3)
    assert np.abs(lost - far[0]).max() > 1
    assert "reach farther than those the tokenizer of actions was fitted to" in caplog.text
