"""What third-party plugins register, read out of their source: nothing of theirs is imported to know a name."""

import ast
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from lerobot.core.registry import Damaged, Discovered
from lerobot.core.registry.discovery import ThirdParty

DISTRIBUTION = "lerobot-compat"
REGISTERS = "register_subclass"
KINDS = {
    "RobotConfig": "robot",
    "TeleoperatorConfig": "teleoperator",
    "CameraConfig": "camera",
    "PreTrainedConfig": "policy",
    "EnvConfig": "env",
}
"""Kind of what is registered with a base class of huggingface/lerobot."""


def find(distributions: Sequence[ThirdParty]) -> tuple[list[Discovered], list[Damaged]]:
    """See `PluginFinder.find`."""
    plugins: list[Discovered] = []
    damaged: list[Damaged] = []
    for distribution in distributions:
        try:
            found = list(_registered(distribution))
        except (OSError, SyntaxError, ValueError) as error:
            damaged.append(Damaged(distribution.distribution, f"{type(error).__name__}: {error}".splitlines()[0]))
            continue
        plugins += found
        if not found:
            package = _package(distribution)
            damaged.append(Damaged(distribution.distribution, f"no module of '{package}' registers a plugin by itself"))
    return plugins, damaged


def adapted(found: Discovered, loaded: object) -> type | None:
    """See `PluginFinder.adapted`."""
    from lerobot.compat.plugins.models import model_of_device, model_of_plugin

    return model_of_plugin(found.kind, found.name, loaded) or model_of_device(found.kind, found.name, loaded)


def _package(distribution: ThirdParty) -> str:
    return distribution.distribution.replace("-", "_")


def _registered(distribution: ThirdParty) -> Iterator[Discovered]:
    package = _package(distribution)
    for module, file in _modules(package):
        text = file.read_text(encoding="utf-8")
        if REGISTERS not in text:
            continue
        for kind, name, cls in registrations(ast.parse(text, filename=str(file))):
            value = f"{module}:{cls}"
            yield Discovered(kind, name, value, distribution.distribution, distribution.version, through=DISTRIBUTION)


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    """Modules of an import package and their files, without importing it."""
    spec = find_spec(package)
    if spec is None:
        raise ValueError(f"there is no import package '{package}'")
    if spec.submodule_search_locations is None:
        yield package, Path(str(spec.origin))
        return
    for folder in map(Path, spec.submodule_search_locations):
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if "tests" not in parts:
                yield ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)]), file


def registrations(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Kind, registered name and class of every `@RobotConfig.register_subclass("name")` in a module."""
    bases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    constants: dict[str, object] = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for cls in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for call in cls.decorator_list:
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            base = ast.unparse(call.func.value).rpartition(".")[2]
            kind = KINDS.get(bases.get(base, base))
            if call.func.attr == REGISTERS and kind and (name := _text(call, constants)):
                yield kind, name, cls.name


def _text(call: ast.Call, constants: dict[str, object]) -> str:
    """The name that is registered, written out or as a constant of the module."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "name")]
    if not given:
        return ""
    value = constants.get(given[0].id) if isinstance(given[0], ast.Name) else None
    if isinstance(given[0], ast.Constant):
        value = given[0].value
    return value if isinstance(value, str) else ""
