"""A module is one idea, a function fits a screen."""

import ast

from source_tree import modules

MODULE_LINES = 400
FUNCTION_LINES = 60

LONG_MODULES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
"""What is still too long, with its lines. Whoever mends one takes it out; none is added and none grows."""


def longer(lengths: dict[str, int], limit: int) -> dict[str, int]:
    return {name: lines for name, lines in lengths.items() if lines > limit}


def test_modules_fit() -> None:
    check(longer({module.name: module.text.count("\n") for module in modules()}, MODULE_LINES), LONG_MODULES)


def test_functions_fit() -> None:
    lengths: dict[str, int] = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{module.name}.{node.name}"
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths[name] = max(lines, lengths.get(name, 0))
    check(longer(lengths, FUNCTION_LINES), LONG_FUNCTIONS)


def check(found: dict[str, int], known: dict[str, int]) -> None:
    too_long = {name: lines for name, lines in found.items() if lines > known.get(name, 0)}
    assert not too_long, f"longer than {MODULE_LINES} lines a module, {FUNCTION_LINES} a function"
    assert not set(known) - set(found), "these fit now: take them out of the list"
