"""From the text of one value to the value, as the field's type says; YAML 1.1's surprises are kept out.

`001` is text in a text field and the number 1 in a whole-number field, `030` is thirty, `1e-4` is a number, `on` is
true only where true or false is meant.
"""

import enum
import math
import re
from pathlib import Path
from typing import Any

from lerobot.core.config.annotations import choices, spelling
from lerobot.core.paths import user_path

TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
NULL = frozenset({"null", "Null", "NULL"})
_INTEGER = re.compile(r"[+-]?\d[\d_]*")
_FLOAT = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d+)([eE][+-]?\d+)?")
_SPECIAL_FLOATS = {".inf": "inf", "-.inf": "-inf", "+.inf": "inf", ".nan": "nan"}
# A union takes the first that fits: narrow types before wide ones, text last.
_ORDER = (bool, int, float, enum.Enum, Path, str)


def read_scalar(annotation: Any, text: str) -> Any:
    """Read text as one type.

    Args:
        annotation: a plain type, Literal or Enum; no union.
        text: the text, without quotes.

    Returns:
        The value; for a type that is not known here the text itself, which the model then validates.

    Raises:
        ValueError: the text does not fit.
    """
    if found := choices(annotation):
        return _choice(found, text)
    if annotation is bool:
        return _boolean(text)
    if annotation is int:
        if not _INTEGER.fullmatch(text.strip()):
            raise ValueError(text)
        return int(text)
    if annotation is float:
        word = _SPECIAL_FLOATS.get(text.strip().lower(), text.strip())
        number = float(word)
        if math.isinf(number) and any(letter.isdigit() for letter in word):
            raise ValueError(text)  # too large to be held; infinity has a word of its own
        return number
    if annotation is Path:
        return _path(text)
    if annotation is Any:
        return read_any(text)
    if annotation is type(None):
        raise ValueError(text)
    return text


def read_union(annotations: tuple[Any, ...], text: str, *, quoted: bool) -> Any:
    """Read text as the first of several types that fits.

    Numbers must be written as numbers are where text is accepted too, so that `001` stays text; quotes ask for text.

    Raises:
        ValueError: none fits.
    """
    textual = any(part in (str, Path) for part in annotations)
    for annotation in sorted(annotations, key=_rank):
        strict = annotation is bool or (textual and annotation in (int, float))
        if strict and (quoted or not _is_canonical(annotation, text)):
            continue
        try:
            return read_scalar(annotation, text)
        except ValueError:
            continue
    raise ValueError(text)


def read_any(text: str) -> Any:
    """Read a plain word where any value is accepted, as YAML 1.2 does."""
    word = text.strip()
    if word in NULL or word in {"", "~"}:
        return None
    if word.lower() in {"true", "false"}:
        return word.lower() == "true"
    if _INTEGER.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word) or word.lower() in _SPECIAL_FLOATS:
        return float(_SPECIAL_FLOATS.get(word.lower(), word))
    return text


def _rank(annotation: Any) -> int:
    if choices(annotation):
        return _ORDER.index(enum.Enum)
    return _ORDER.index(annotation) if annotation in _ORDER else _ORDER.index(str)


def _is_canonical(annotation: Any, text: str) -> bool:
    if annotation is bool:
        return text.lower() in {"true", "false"}
    if annotation is int:
        return bool(re.fullmatch(r"-?(0|[1-9]\d*)", text))
    return bool(_FLOAT.fullmatch(text))


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError(text)
    return user_path(text)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError(text)
    return word in TRUE


def _choice(found: tuple[Any, ...], text: str) -> Any:
    exact = {spelling(choice): choice for choice in found}
    if text in exact:
        return exact[text]
    # Names of enum members, and other cases, are what people type; a choice that differs only in case is exact above.
    loose = {spelling(choice).lower(): choice for choice in found}
    loose |= {choice.name.lower(): choice for choice in found if isinstance(choice, enum.Enum)}
    try:
        return loose[text.strip().lower()]
    except KeyError as error:
        raise ValueError(text) from error
