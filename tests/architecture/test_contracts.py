"""What is read from a plugin is declared in its protocol or base, never fetched by `getattr(x, "name", default)`."""

import ast

from source_tree import modules

FOREIGN = {
    "AF_UNIX": "socket, where the system has such sockets",
    "__file__": "modules",
    "__name__": "types, and what typing makes of them",
    "__path__": "modules that are packages",
    "_path": "importlib.metadata.PathDistribution",
    "char": "pynput's keys that are characters",
    "chunks": "arrays of h5py and zarr",
    "codec_context": "PyAV's streams",
    "dtype": "arrays of numpy and torch",
    "errno": "OSError, behind errors of pyserial",
    "name": "pynput's keys that are none",
    "pattern": "constraints of pydantic",
    "pytestmark": "tests of pytest",
    "shape": "arrays of numpy and torch",
    "strerror": "OSError",
}
"""Attributes of other people's objects, which may lack them, and whose they are."""


def guessed(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and name of every attribute that is read with a default."""
    return [
        (call.lineno, str(call.args[1].value))
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "getattr"
        and len(call.args) == 3
        and isinstance(call.args[1], ast.Constant)
    ]


def test_a_guess_is_found() -> None:
    tree = ast.parse('steps = getattr(config, "n_action_steps", 1)\nnamed = getattr(config, name, 1)\n')
    assert guessed(tree) == [(1, "n_action_steps")]


def test_what_a_plugin_is_asked_for_is_declared() -> None:
    """Declare the attribute in the protocol or base, or the optional ability as a protocol of its own."""
    found = [
        f"{module.where}:{line}: {name}"
        for module in modules()
        for line, name in guessed(module.tree)
        if name not in FOREIGN
    ]
    assert not found


def test_every_foreign_attribute_is_still_read() -> None:
    assert set(FOREIGN) <= {name for module in modules() for _, name in guessed(module.tree)}
