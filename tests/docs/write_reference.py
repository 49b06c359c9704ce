"""Write the pages of the reference that follow from the code: every command, every plugin, the index of plugins.

`nox -s reference` runs it; a test fails where the pages and the code differ.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "architecture"))

from source_tree import Module, Package, packages

from lerobot.core.cli.describe import Row, Section, describe
from lerobot.core.config import CommandConfig
from lerobot.core.config.arguments import COMMON_FLAGS
from lerobot.core.config.base import PluginConfig
from lerobot.core.registry import KINDS, registry
from lerobot.core.registry.catalog import Known, known_plugins
from lerobot.recipes import statement as recipes

DOCS = Path(__file__).resolve().parents[2] / "docs"
GENERATED = "<!-- Written by `nox -s reference` from the code; edits here are lost. -->\n\n"
TITLES = {
    "robot": "Robots",
    "teleoperator": "Teleoperators",
    "camera": "Cameras",
    "policy": "Policies",
    "algorithm": "Algorithms that learn from reward",
    "env": "Environments",
    "processor": "Processor steps",
    "arm_model": "Models of arms",
    "dataset_format": "Dataset formats",
    "export_format": "Kinds of exported files",
    "executor": "Engines of large jobs",
}
"""Kinds with a page of their own, in the order of the site."""


def pages() -> dict[str, str]:
    """Every written page: its text by path below `docs/`."""
    ours = {package.name for package in packages()}
    commands = {name: registry.config_class("command", name) for name in sorted(registry.names("command"))}
    written = {f"reference/commands/{name}.md": _command(name, model) for name, model in commands.items()}
    written["reference/commands/index.md"] = _commands(commands)
    for kind, title in TITLES.items():
        written[f"reference/plugins/{kind}.md"] = _plugins(kind, title, ours)
    written["plugins.md"] = _index()
    written["reference/published-datasets.md"] = recipes.page()
    for package in packages():
        if package.name != "lerobot-core" and not package.bundle:  # core's pages are written by subject
            written[f"reference/packages/{package.name}.md"] = _package(package)
    return {path: GENERATED + text for path, text in written.items()}


def _package(package: Package) -> str:
    """The modules right below the package, and what its subpackages hand on in their `__all__`."""
    project = package.pyproject["project"]
    root = package.name.replace("-", ".", 1).replace("-", "_")
    whole = [module.name for module in package.modules if _is_right_below(module, root) and _has_public(module)]
    names = {name for module in package.modules for name in handed_on(module)}
    single = [name for name in names if name.rpartition(".")[0] not in whole]
    directives = "\n".join(f"::: {name}\n" for name in sorted([*whole, *single]))
    return f"# {package.name}\n\n{project['description']}\n\n{directives}"


def _is_right_below(module: Module, root: str) -> bool:
    return module.path.name != "__init__.py" and module.name.rpartition(".")[0] == root


def handed_on(module: Module) -> list[str]:
    """Where the classes and functions in a folder's `__all__` are defined."""
    if module.path.name != "__init__.py" or "__all__" not in module.text:
        return []
    loaded = importlib.import_module(module.name)
    values = [getattr(loaded, name) for name in loaded.__all__]
    return sorted({f"{value.__module__}.{value.__qualname__}" for value in values if _is_ours(value)})


def _is_ours(value: object) -> bool:
    return hasattr(value, "__qualname__") and value.__module__.startswith("lerobot.")


def _has_public(module: Module) -> bool:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return any(isinstance(node, kinds) and not node.name.startswith("_") for node in module.tree.body)


def _commands(commands: dict[str, type[CommandConfig]]) -> str:
    rows = [[f"[`lerobot {name}`]({name}.md)", _summary(model)] for name, model in commands.items()]
    common = [[f"`{flag}`", text] for flag, text in COMMON_FLAGS.items()]
    return (
        "# Commands\n\nEvery command is also a script: `lerobot record` and `lerobot-record` are the same.\n\n"
        + _table(["command", "what it does"], rows)
        + "\n## Flags of every command\n\n"
        + _table(["flag", "meaning"], common)
        + "\nA flag is also read from an environment variable: `--robot.port` from `LEROBOT_ROBOT__PORT`.\n"
    )


def _command(name: str, model: type[CommandConfig]) -> str:
    sections = describe(model, [], {})
    positional = [row.flag for section in sections for row in section.rows if not row.flag.startswith("--")]
    usage = " ".join([f"lerobot {name}", *(f"[{word}]" for word in positional), "[--FLAG=VALUE ...]"])
    parts = [f"# lerobot {name}\n\n{_prose(model)}\n\n```text\n{usage}\n```\n"]
    if model.examples:
        parts.append("Examples:\n\n```bash\n" + "\n".join(model.examples) + "\n```\n")
    parts += [_section(section) for section in sections]
    return "\n".join(parts)


def _section(section: Section) -> str:
    text = f"## {section.title}\n\n" + _flags(section.rows)
    if any(row.flag.endswith(".type") for row in section.rows):
        text += "\nThe flags of each type are on the [page of its kind](../../plugins.md).\n"
    return text


def _plugins(kind: str, title: str, ours: set[str]) -> str:
    parts = [f"# {title}\n\nPlugins of the group `{KINDS[kind].group}`, by the name that `type` chooses them with.\n"]
    for name in sorted(registry.names(kind)):
        found = registry.find(kind, name)
        if found.distribution not in ours:
            continue
        model = registry.config_class(kind, name)
        parts.append(f"## {name}\n\n{_prose(model)}\n\nPackage: `{found.distribution}`.\n")
        parts += _fields(model)
    return "\n".join(parts)


def _fields(model: type[PluginConfig]) -> Iterator[str]:
    for index, section in enumerate(describe(model, [], {})):
        rows = [row for row in section.rows if row.flag != "--type"]
        heading = f"**{section.title}**\n\n" if index else ""
        if rows:
            yield heading + _flags(rows, prefix="")


def _index() -> str:
    parts = [
        "# Plugin index\n\nWhat is known by name, and the package of this repository that brings it. What is *not here "
        "yet* is known to huggingface/lerobot only. Plugins that others make are listed in "
        "[Third-party plugins](third-party-plugins.md).\n"
    ]
    for kind, title in TITLES.items():
        link = f"[Their fields](reference/plugins/{kind}.md).\n\n"
        rows = [_known(name, plugin) for name, plugin in sorted(known_plugins(kind).items())]
        parts.append(f"## {title}\n\n{link}" + _table(["name", "package", "what it is"], rows))
    return "\n".join(parts)


def _known(name: str, plugin: Known) -> list[str]:
    return [f"`{name}`", f"`{plugin.distribution}`" if plugin.distribution else "not here yet", plugin.summary]


def _flags(rows: list[Row], prefix: str = "--") -> str:
    """A table that narrow screens show as one block per row, see `docs/stylesheets/options.css`."""
    table = _table(
        ["flag" if prefix else "field", "takes", "default", "meaning"],
        [
            [
                f"`{row.flag if prefix else row.flag.removeprefix('--')}`",
                f"{row.type} {row.unit}".rstrip(),
                _required(row) if row.required else f"`{row.default}`" if row.default else "",
                row.text,
            ]
            for row in rows
        ],
    )
    return f'<div class="options" markdown>\n\n{table}\n</div>\n'


def _required(row: Row) -> str:
    return f"**required** with `{row.within}`" if row.within else "**required**"


def _summary(model: type[PluginConfig] | type[CommandConfig]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _prose(model: type[PluginConfig] | type[CommandConfig]) -> str:
    paragraphs = (model.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    parts = text.replace("|", "\\|").replace("\n", " ").split("`")
    # Only outside of code marks, which are every second part, is a bracket the beginning of a tag.
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def main() -> None:
    """Write every page, and remove pages of what is gone."""
    written = {DOCS / path: text for path, text in pages().items()}
    for folder in ("reference/commands", "reference/packages", "reference/plugins"):
        (DOCS / folder).mkdir(parents=True, exist_ok=True)
        for page in (DOCS / folder).glob("*.md"):
            if page not in written:
                page.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
