"""What the architecture tests read: the packages, their modules and what each module imports."""

import ast
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


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(node: ast.AST, module: Module, *, deferred: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, deferred) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                parents = module.name.split(".")
                keep = len(parents) - child.level + (module.path.name == "__init__.py")
                base = ".".join([*parents[:keep], *([child.module] if child.module else [])])
            yield Import(base, child.lineno, deferred)
            yield from (Import(f"{base}.{alias.name}", child.lineno, deferred) for alias in child.names)
        else:
            late = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _type_checking(child)
            yield from _imports(child, module, deferred=deferred or late)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
