"""FAST: chunks of actions as short codes. Cosine coefficients over time, rounded, and joined by byte pair encoding.

The files are those of `transformers`, which runs a downloaded program to read them; here they are only read.

Source: Pertsch et al. 2025, arXiv:2501.09747; file names and fields of physical-intelligence/fast.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.core.extras import require
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import Checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

log = logging.getLogger(__name__)

SETTINGS, MERGES, TOKENIZER = "processor_config.json", "tokenizer.json", "tokenizer_config.json"
_PROGRAM = "physical-intelligence/fast--processing_action_tokenizer.UniversalActionProcessor"
"""What `transformers` is told to read the files with."""
_UNREADABLE = "\ufffd"
_LONGEST_CODE = 10_000


@dataclass(frozen=True, slots=True)
class FastCodec:
    """Turns chunks into codes and back.

    Attributes:
        merges: byte pair encoding of `tokenizers`; each coefficient is one sign, counted from `min_token`.
        scale: coefficients are multiplied by this before they are rounded.
        min_token: smallest rounded coefficient; smaller ones are taken for it.
        vocab_size: number of codes that were asked for.
        time_horizon: steps of the chunks it was fitted to, if known.
        action_dim: width of their actions, if known.
    """

    merges: "Tokenizer"
    scale: float
    min_token: int
    vocab_size: int
    time_horizon: int | None = None
    action_dim: int | None = None

    @property
    def codes(self) -> int:
        """How many codes there are: 0 to this, less one."""
        count: int = self.merges.get_vocab_size()
        return count

    def __call__(self, chunks: Any) -> list[list[int]]:
        """Encode chunks `(B, T, Da)`, one list of codes each."""
        found = []
        for chunk in np.asarray(chunks, dtype=np.float64):
            rounded = np.around(_cosines(len(chunk)) @ chunk * self.scale).flatten()
            text = _signs(np.maximum(rounded - self.min_token, 0))
            codes = list(self.merges.encode(text).ids)
            if self.merges.decode(codes, skip_special_tokens=False) != text:
                _warn_of_loss(self.min_token, self.vocab_size)
            found.append(codes)
        return found

    def decode(self, codes: Sequence[int], steps: int, width: int) -> NDArray[np.float64]:
        """Give the chunk `(steps, width)` of a list of codes.

        Coefficients that are missing at its end are 0; those that are too many are left out.

        Raises:
            ValueError: a code is none, or the codes do not make whole signs.
        """
        if odd := [code for code in codes if not 0 <= code < self.codes]:
            raise ValueError(f"code {odd[0]} is not in 0 to {self.codes - 1}")
        text = self.merges.decode(list(codes), skip_special_tokens=False)
        if _UNREADABLE in text:
            raise ValueError("the codes end within a sign")
        wanted = steps * width
        found = np.zeros(wanted)
        known = np.array([ord(sign) for sign in text[:wanted]], dtype=np.float64) + self.min_token
        found[: len(known)] = known
        chunk: NDArray[np.float64] = _cosines(steps).T @ (found.reshape(steps, width) / self.scale)
        return chunk

    # --- files -------------------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Read a codec from a folder or a Hub repository.

        Raises:
            CheckpointError: there is none, or its files say something else.
            LeRobotError: `transformers`, which brings `tokenizers`, is not installed.
        """
        place = Checkpoint.at(source)
        settings, merges = place.file(SETTINGS), place.file(MERGES)
        try:
            fields = read_json(settings)
            given = {name: fields[name] for name in ("scale", "min_token", "vocab_size")}
            optional = {name: fields.get(name) for name in ("time_horizon", "action_dim")}
            return cls(_tokenizers().Tokenizer.from_file(str(merges)), **given, **optional)
        except LeRobotError:
            raise
        except Exception as error:  # `tokenizers` raises no class of its own
            raise CheckpointError(
                f"{source} is no FAST tokenizer of actions: {type(error).__name__}: {error}",
                expected=f"{SETTINGS} with scale, min_token and vocab_size, and {MERGES}",
            ) from error

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files, as `transformers` reads them too."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "action_dim": self.action_dim,
            "auto_map": {"AutoProcessor": _PROGRAM},
            "min_token": self.min_token,
            "processor_class": "UniversalActionProcessor",
            "scale": self.scale,
            "time_horizon": self.time_horizon,
            "vocab_size": self.vocab_size,
        }
        tokenizer = {
            "auto_map": {"AutoProcessor": _PROGRAM},
            "clean_up_tokenization_spaces": False,
            "model_max_length": int(1e30),
            "processor_class": "UniversalActionProcessor",
            "tokenizer_class": "PreTrainedTokenizerFast",
        }
        for name, content in ((SETTINGS, settings), (TOKENIZER, tokenizer)):
            (folder / name).write_text(json.dumps(content, indent=2) + "\n")
        self.merges.save(str(folder / MERGES))

    # --- fitting -----------------------------------------------------------------------------------------------------

    @classmethod
    def fit(cls, chunks: NDArray[Any], *, scale: float = 10.0, vocab_size: int = 1024) -> Self:
        """Fit a codec to chunks `(N, T, Da)`, scaled as the policy will see them.

        Args:
            chunks: finite numbers.
            scale: see `FastCodec`; larger is more exact and longer.
            vocab_size: codes; coefficients that differ each take one, the rest is for those that often come together.

        Raises:
            LeRobotError: coefficients differ more than there are codes; or `transformers` is not installed.
        """
        tokenizers = _tokenizers()
        rounded = np.around(np.einsum("st,ntd->nsd", _cosines(chunks.shape[1]), chunks) * scale).astype(np.int64)
        lowest, highest = int(rounded.min()), int(rounded.max())
        if highest - lowest > vocab_size:
            raise LeRobotError(
                f"coefficients reach from {lowest} to {highest}, and there are {vocab_size} codes",
                expected=f"a vocab_size above {highest - lowest}, or a smaller scale than {scale:g}",
                hint="Actions that are not normalised reach far; normalization_mode=QUANTILES brings them to [-1, 1].",
            )

        def texts() -> Iterator[str]:
            for chunk in rounded:
                yield _signs(chunk.flatten() - lowest)

        merges = tokenizers.Tokenizer(tokenizers.models.BPE())
        merges.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        merges.decoder = tokenizers.decoders.ByteLevel()
        merges.train_from_iterator(
            texts(),
            tokenizers.trainers.BpeTrainer(
                vocab_size=vocab_size,
                min_frequency=2,
                show_progress=False,
                special_tokens=[],
                initial_alphabet=[chr(sign) for sign in range(highest - lowest + 1)],
                max_token_length=_LONGEST_CODE,
            ),
        )
        return cls(merges, scale, lowest, vocab_size, chunks.shape[1], chunks.shape[2])


def _cosines(steps: int) -> NDArray[np.float64]:
    """Give the orthonormal cosine transform (DCT-II) of `steps` numbers, a matrix whose transpose is its inverse."""
    time = np.arange(steps)
    matrix = np.cos(np.pi * time[:, None] * (2 * time + 1) / (2 * steps)) * np.sqrt(2 / steps)
    matrix[0] /= np.sqrt(2)
    found: NDArray[np.float64] = matrix
    return found


@cache
def _warn_of_loss(lowest: int, codes: int) -> None:
    """Say once of a codec that it has no code for some coefficients."""
    log.warning(
        "chunks reach farther than those the tokenizer of actions was fitted to (from %d on, %d codes), and lose that: "
        "scale actions as it was done there, or fit one to them: lerobot train-tokenizer",
        lowest,
        codes,
    )


def _signs(numbers: NDArray[Any]) -> str:
    return "".join(chr(int(number)) for number in numbers)


def _tokenizers() -> Any:
    return require("tokenizers", extra="language", needed_by="FAST", distribution="lerobot-policies")
