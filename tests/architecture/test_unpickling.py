"""Nothing that can be reached from a socket unpickles, however many imports away it is."""

import ast

from source_tree import Module, modules

UNPICKLERS = {"_pickle", "cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve"}
SOCKETS = ("lerobot.remote", "lerobot.rollout.remote")
"""Packages and modules that read from sockets."""


def reachable() -> list[Module]:
    """Our modules that those of `SOCKETS` import, inside functions or not, and what these import in turn."""
    known = {module.name: module for module in modules()}
    waiting = [name for name in known if name.startswith(SOCKETS)]
    found: dict[str, Module] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found[name] = known[name]
        for imported in known[name].imports:
            parts = imported.module.split(".")
            waiting += [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return list(found.values())


def unpickles(call: ast.Call) -> bool:
    """Whether it is a `load` that may unpickle: torch's unless for weights only, numpy's if objects are allowed."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "load":
        return False
    flags = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
    owner = ast.unparse(call.func.value)
    return (owner == "torch" and flags.get("weights_only") is not True) or flags.get("allow_pickle") is True


def unpicklers(module: Module) -> list[str]:
    found = [
        f"{module.where}:{imported.line} imports {imported.module}"
        for imported in module.imports
        if imported.module.partition(".")[0] in UNPICKLERS
    ]
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return found + [f"{module.where}:{call.lineno} unpickles" for call in calls if unpickles(call)]


def test_nothing_of_a_socket_is_unpickled() -> None:
    found = reachable()
    assert {"lerobot.remote.wire.codec", "lerobot.core.safety.gate"} <= {module.name for module in found}
    assert not [line for module in found for line in unpicklers(module)]


def test_an_unpickler_would_be_found() -> None:
    training = next(module for module in modules() if module.name == "lerobot.training.learner.supervised")
    assert unpicklers(training)
    for text in ("torch.load(file)", "torch.load(file, weights_only=False)", "np.load(file, allow_pickle=True)"):
        assert unpickles(ast.parse(text, mode="eval").body)
    assert not unpickles(ast.parse("torch.load(file, weights_only=True)", mode="eval").body)
