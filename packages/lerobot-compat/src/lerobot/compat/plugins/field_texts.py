"""What the author of a dataclass says about its fields: the descriptions of their flags."""

import ast
import inspect
import re
import textwrap
from dataclasses import is_dataclass

_DOCUMENTED = re.compile(r"^ {4,8}(\w+)(?: \([^)]*\))?: (.+(?:\n {9,}.+)*)", re.MULTILINE)


def field_texts(cls: type) -> dict[str, str]:
    """Describe the fields of a dataclass, those it inherits included.

    Authors write a comment above a field or behind it, a text below it, or a line in the `Args` or `Attributes` of the
    class. Whatever is found is joined to one line; a field that nothing is said about is absent.
    """
    texts: dict[str, str] = {}
    for ancestor in reversed([each for each in cls.__mro__ if is_dataclass(each)]):
        texts |= _documented(ancestor)
        try:
            source = textwrap.dedent(inspect.getsource(ancestor))
        except (OSError, TypeError):  # made in a session, or by a program
            continue
        texts |= _commented(source)
    return {name: " ".join(text.split()) for name, text in texts.items()}


def _documented(cls: type) -> dict[str, str]:
    return dict(_DOCUMENTED.findall(textwrap.indent(inspect.getdoc(cls) or "", "    ")))


def _commented(source: str) -> dict[str, str]:
    lines = source.splitlines()
    body = next(node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    texts = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        below = _text_of(following)
        behind = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].strip()
        text = below or behind.removeprefix("#").strip() or _above(lines, node.lineno - 1)
        if text:
            texts[node.target.id] = text
    return texts


def _text_of(node: ast.stmt | None) -> str:
    literal = node.value if isinstance(node, ast.Expr) else None
    return literal.value if isinstance(literal, ast.Constant) and isinstance(literal.value, str) else ""


def _above(lines: list[str], index: int) -> str:
    comments: list[str] = []
    while index > 0 and (line := lines[index - 1].strip()).startswith("#"):
        comments.insert(0, line.lstrip("#").strip())
        index -= 1
    return " ".join(comments)
