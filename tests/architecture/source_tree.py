"""What the architecture tests read: the packages, their modules and what each module imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    deferred: bool
    """Inside a function or under TYPE_CHECKING: not executed when the module is imported."""


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    package: "Package"

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def imports(self) -> list[Import]:
        return list(_imports(self.tree, self, deferred=False))

    @cached_property
    def siblings(self) -> dict[str, int]:
        """Modules of the same package it imports, at the top, inside functions or for type checking; with the line."""
        known = {module.name for module in self.package.modules}
        found: dict[str, int] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = _base(node, self)
                names = [full if (full := f"{base}.{alias.name}") in known else base for alias in node.names]
            else:
                continue
            for name in names:
                if name in known - {self.name}:
                    found.setdefault(name, node.lineno)
        return found

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))


@dataclass(frozen=True)
class Package:
    name: str
    path: Path

    @cached_property
    def pyproject(self) -> dict:
        return tomllib.loads((self.path / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def bundle(self) -> bool:
        """It requires other packages and holds no module."""
        return not (self.path / "src").exists()

    @cached_property
    def modules(self) -> list[Module]:
        source = self.path / "src"
        files = [
            file
            for file in sorted(source.rglob("*.py"))
            if not any(part == "templates" or "{{" in part for part in file.relative_to(source).parts)
        ]
        return [Module(_dotted(file.relative_to(source)), file, self) for file in files]


@cache
def packages() -> tuple[Package, ...]:
    return tuple(Package(path.name, path) for path in sorted((ROOT / "packages").iterdir()) if path.is_dir())


def modules() -> Iterator[Module]:
    for package in packages():
        yield from package.modules


DISTRIBUTIONS = {
    "OpenGL": "pyopengl",
    "PIL": "pillow",
    "can": "python-can",
    "cv2": "opencv-python-headless",
    "google": "protobuf",  # of the packages that share the name, the one in use here
    "grpc": "grpcio",
    "lerobot_cli": "lerobot-core",
    "lerobot_compat": "lerobot-compat",
    "pydantic_core": "pydantic",  # two halves of one release
    "rerun": "rerun-sdk",
    "scservo_sdk": "feetech-servo-sdk",
    "serial": "pyserial",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Import packages that are not named as their distribution is."""


def distribution(imported: str) -> str | None:
    """The distribution that holds a module; None for the standard library."""
    top, _, rest = imported.partition(".")
    if top == "lerobot":
        return f"lerobot-{rest.partition('.')[0].replace('_', '-')}" if rest else None
    if not top or top in sys.stdlib_module_names:
        return None
    return DISTRIBUTIONS.get(top, top.replace("_", "-"))


def requirements(package: Package, *, extras: bool) -> dict[str, str]:
    """What a package declares that it needs, and with `extras` what they bring: name and the rest of the line."""
    project = package.pyproject["project"]
    lines = list(project["dependencies"])
    if extras:
        lines += [line for needs in project.get("optional-dependencies", {}).values() for line in needs]
    found = (re.fullmatch(r"([\w-]+)(?:\[[^]]*\])?(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found}


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(node: ast.AST, module: Module, *, deferred: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, deferred) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _base(child, module)
            yield Import(base, child.lineno, deferred)
            yield from (Import(f"{base}.{alias.name}", child.lineno, deferred) for alias in child.names)
        else:
            late = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _type_checking(child)
            yield from _imports(child, module, deferred=deferred or late)


def _base(node: ast.ImportFrom, module: Module) -> str:
    """The module that names are imported from."""
    if not node.level:
        return node.module or ""
    parents = module.name.split(".")
    keep = len(parents) - node.level + (module.path.name == "__init__.py")
    return ".".join([*parents[:keep], *([node.module] if node.module else [])])


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
