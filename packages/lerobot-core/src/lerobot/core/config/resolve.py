"""Layers of nodes and a model in, one validated model out: every problem is collected, every value keeps its source.

Layers are ordered, the weakest first. A model takes each field from the strongest layer that has it. A mapping with
free keys (cameras by name) or a list is replaced as a whole by a stronger one; dotted flags change it in place.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lerobot.core.config.annotations import (
    field_words,
    is_choice,
    is_dict,
    is_list,
    is_model,
    is_positional,
    is_structured,
    item_types,
    members,
    words,
)
from lerobot.core.config.arguments import COMMON_FLAGS
from lerobot.core.config.base import ConfigModel
from lerobot.core.config.files import SUFFIXES, read_file
from lerobot.core.config.nodes import Items, Node, Origin, Scalar, Table, Text, UnreadableError, compose, shown
from lerobot.core.config.problems import validation_problems
from lerobot.core.config.saved import fields_from_path
from lerobot.core.config.scalars import NULL, read_any, read_scalar, read_union
from lerobot.core.config.variants import Variants, choice_problem, chosen_type, type_words, variants_of
from lerobot.core.errors import ConfigProblem, LeRobotError, PluginError

Path = tuple[str, ...]
Layers = Sequence[Node]
FAILED: Any = object()
"""Stands for a value that has a problem, already noted."""
_NAME = re.compile(r"\w[\w.:-]*")
REQUIRED = "it is required"
"""Hint of the problem that something is missing."""


class Resolver:
    """One pass over one configuration.

    Attributes:
        problems: everything that is wrong, in order.
        sources: where each value was given, by its path; defaults are absent.
    """

    def __init__(self) -> None:
        self.problems: list[ConfigProblem] = []
        self.sources: dict[Path, str] = {}

    # --- any value ---------------------------------------------------------------------------------------------------

    def value(self, field: FieldInfo, layers: Layers, path: Path, base: Any = None) -> Any:
        """Resolve one field; `base` is its default where that is a model."""
        alternatives = members(field.annotation)
        if layers and type(None) in alternatives and is_null(layers[-1]):
            self.sources[path] = layers[-1].origin.source
            return None
        layers = [layer for layer in layers if not is_null(layer)] or layers
        return self._value(tuple(part for part in alternatives if part is not type(None)), field, layers, path, base)

    def _value(self, parts: tuple[Any, ...], field: FieldInfo, layers: Layers, path: Path, base: Any = None) -> Any:
        structured = [part for part in parts if is_structured(part)]
        if structured and (len(structured) == len(parts) or any(map(_has_parts, layers))):
            return self._structured(structured, layers, path, base)
        node = layers[-1]
        self.sources[path] = node.origin.source
        if Any in parts:
            return self._anything(node, path)
        if not isinstance(node, Text | Scalar) or node.text is None:
            if parts == (bool,) and isinstance(node, Text):
                return True
            return self._fail(node, field_words(field))
        try:
            if len(parts) == 1:
                return read_scalar(parts[0], node.text)
            return read_union(parts, node.text, quoted=isinstance(node, Scalar) and node.quoted)
        except ValueError:
            return self._fail(node, field_words(field))

    def _structured(self, parts: list[Any], layers: Layers, path: Path, base: Any) -> Any:
        if variants := variants_of(parts):
            loader = next((part.from_path for part in parts if is_choice(part)), "")
            return self.choice(variants, layers, path, base, loader)
        if models := [part for part in parts if is_model(part)]:
            return self.model(models[0], self._tables(layers, path, words(models[0])), path, base)
        listed = [part for part in parts if is_list(part)]
        if listed and (len(listed) == len(parts) or _opens_list(layers[-1])):
            return self._list(listed[0], layers[-1], path)
        return self._dict(next(part for part in parts if is_dict(part)), layers, path)

    # --- models and choices ------------------------------------------------------------------------------------------

    def model(
        self, cls: type[ConfigModel], tables: list[Table] | None, path: Path, base: Any = None, why: str = ""
    ) -> Any:
        """Resolve a model from the mappings given for it; `why` explains an unknown key, `base` is its default."""
        if tables is None:
            return FAILED
        problems_before = len(self.problems)
        given = self._by_field(cls, tables, path, why)
        values: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            nodes = given.get(name, [])
            default = getattr(base, name) if isinstance(base, cls) else _default(field)
            if nodes or (field.is_required() and base is None and _has_empty_form(field)):
                values[name] = self.value(field, nodes, (*path, name), default)
            elif isinstance(base, cls):
                values[name] = default
            elif field.is_required():
                self._missing(field, (*path, name))
                values[name] = FAILED
        failed = {name for name, value in values.items() if value is FAILED}
        try:
            model = cls.model_validate({name: value for name, value in values.items() if name not in failed})
        except ValidationError as error:
            self.problems += validation_problems(error, cls, given, failed, path)
        return FAILED if len(self.problems) > problems_before else model

    def _by_field(self, cls: type[ConfigModel], tables: list[Table], path: Path, why: str) -> dict[str, list[Node]]:
        """Nodes by field name, the strongest last; unknown keys are noted."""
        given: dict[str, list[Node]] = {}
        for table in tables:
            for key, node in table.entries.items():
                name = key if key in cls.model_fields else key.replace("-", "_")
                name = cls.renamed_fields.get(name, name)
                if name in cls.model_fields:
                    given.setdefault(name, []).append(node)
                elif name in cls.removed_fields and not isinstance(node, Text):
                    # Files of then are read; who types it now is told that it does nothing.
                    cls.tell_removed(name, shown(node))
                else:
                    self._unknown(name, node, list(cls.model_fields), path, why)
        return given

    def choice(self, variants: Variants, layers: Layers, path: Path, base: Any, loader: str = "") -> Any:
        """Resolve a section whose model is chosen by `type`, or by `path` where saved folders can be read."""
        expected = f"a {variants.label}: its name, a mapping with 'type', or a file (yaml, json, toml)"
        tables = self._tables([by_name(layer) for layer in layers], path, expected)
        if tables is None:
            return FAILED
        if loader and any("path" in table.entries for table in tables):
            tables = self._load_saved(variants, loader, tables)
            if tables is None:
                return FAILED
        given = [table.entries["type"] for table in tables if "type" in table.entries]
        named = [node for node in given if isinstance(node, Text | Scalar)]
        if len(named) < len(given):
            return self._fail(next(node for node in given if node not in named), type_words(variants))
        name = (named[-1].text or "") if named else chosen_type(base)
        if not name:
            flag = named[-1].origin if named else _flag((*path, "type"))
            near = difflib.get_close_matches("type", [key for table in tables for key in table.entries], n=1)
            hint = f"did you mean it by '{near[0]}'?" if near and not named else ""
            self.problems.append(ConfigProblem(str(flag), None, type_words(variants), hint))
            return FAILED
        origin = named[-1].origin if named else Origin("default")
        try:
            cls = variants.config_class(name)
        except PluginError as error:
            self.problems.append(choice_problem(str(origin), name, error))
            return FAILED
        rest = [Table({k: v for k, v in table.entries.items() if k != "type"}, table.origin) for table in tables]
        rest.append(Table({"type": Scalar(name, True, origin)}, origin))
        return self.model(cls, rest, path, base, f"not a field of {variants.label} '{name}', chosen by {origin}")

    def _load_saved(self, variants: Variants, loader: str, tables: list[Table]) -> list[Table] | None:
        chosen = [table.entries["path"] for table in tables if "path" in table.entries][-1]
        types = [table.entries["type"] for table in tables if "type" in table.entries]
        if types:
            self.problems.append(
                ConfigProblem(
                    str(chosen.origin),
                    shown(chosen),
                    f"either a path or a type of {variants.label}",
                    f"{types[-1].origin} names a type as well; a saved folder knows its own",
                )
            )
            return None
        rest = [Table({k: v for k, v in table.entries.items() if k != "path"}, table.origin) for table in tables]
        try:
            saved = fields_from_path(loader, chosen, rest)
        except LeRobotError as error:
            reason = re.sub(r"\.*\n\s*", ". ", str(error))
            self.problems.append(ConfigProblem(str(chosen.origin), shown(chosen), f"a saved {variants.label}", reason))
            return None
        return [saved, *rest]

    # --- mappings and lists ------------------------------------------------------------------------------------------

    def _dict(self, annotation: Any, layers: Layers, path: Path) -> Any:
        key_type, value_type = (*item_types(annotation), Any)[:2]
        tables = self._tables(layers, path, words(annotation))
        if tables is None:
            return FAILED
        whole = [index for index, table in enumerate(tables) if not table.step]
        given: dict[str, list[Node]] = {}
        for table in tables[whole[-1] if whole else 0 :]:
            for key, node in table.entries.items():
                given.setdefault(key, []).append(node)
        if not given:
            self.sources[path] = layers[-1].origin.source
        field = FieldInfo(annotation=value_type)
        result = {}
        for key, nodes in given.items():
            try:
                result[read_scalar(key_type, key)] = self.value(field, nodes, (*path, key))
            except ValueError:
                return self._fail(nodes[-1], f"a key that is {words(key_type)}")
        return FAILED if any(value is FAILED for value in result.values()) else result

    def _list(self, annotation: Any, node: Node, path: Path) -> Any:
        opened = self._open(node, words(annotation))
        if opened is FAILED:
            return FAILED
        if not isinstance(opened, Items):
            return self._fail(node, words(annotation))
        self.sources[path] = node.origin.source
        types = item_types(annotation)
        result = []
        for index, item in enumerate(opened.items):
            field = FieldInfo(annotation=types[min(index, len(types) - 1)])
            result.append(self.value(field, [item], (*path, str(index))))
        return FAILED if any(value is FAILED for value in result) else result

    def _anything(self, node: Node, path: Path) -> Any:
        opened = self._open(node, "a value in YAML")
        if isinstance(opened, Table):
            return {key: self._anything(item, (*path, key)) for key, item in opened.entries.items()}
        if isinstance(opened, Items):
            return [self._anything(item, path) for item in opened.items]
        if isinstance(opened, Scalar):
            return opened.text if opened.quoted else read_any(opened.text)
        return FAILED

    # --- opening text ------------------------------------------------------------------------------------------------

    def _tables(self, layers: Layers, path: Path, expected: str) -> list[Table] | None:
        """Every layer as a mapping; None, with the problem noted, if one is none."""
        tables = [self.open_table(layer, path, expected) for layer in layers]
        return None if any(table is FAILED for table in tables) else tables

    def open_table(self, node: Node, path: Path, expected: str) -> Any:
        """A section as a mapping: as given, from YAML text, or from the file that the text names."""
        if isinstance(node, Text | Scalar) and node.text and node.text.strip().lower().endswith(SUFFIXES):
            try:
                return read_file(node.text.strip(), path)
            except UnreadableError as error:
                return self._fail(node, expected, error.reason)
        opened = self._open(node, expected)
        return opened if opened is FAILED or isinstance(opened, Table) else self._fail(node, expected)

    def _open(self, node: Node, expected: str) -> Any:
        if not isinstance(node, Text):
            return node
        try:
            opened = compose(node.text or "", lambda _line, key: Origin(node.origin.source, key))
        except UnreadableError as error:
            return self._fail(node, expected, f"it is not readable as YAML: {error.reason}")
        return self._fail(node, expected) if opened is None else opened

    # --- problems ----------------------------------------------------------------------------------------------------

    def _fail(self, node: Node, expected: str, hint: str = "") -> Any:
        self.problems.append(ConfigProblem(str(node.origin), shown(node), expected, hint))
        return FAILED

    def _missing(self, field: FieldInfo, path: Path) -> None:
        variants = variants_of([part for part in members(field.annotation) if is_structured(part)])
        if variants:
            self.problems.append(ConfigProblem(_flag((*path, "type")), None, type_words(variants), REQUIRED))
            return
        where = path[-1].upper() if is_positional(field) else _flag(path)
        self.problems.append(ConfigProblem(where, None, field_words(field), REQUIRED))

    def _unknown(self, name: str, node: Node, known: list[str], path: Path, why: str) -> None:
        leaf = node
        while isinstance(leaf, Table) and leaf.step:
            leaf = next(iter(leaf.entries.values()))
        is_flag = leaf.origin.source.startswith("--") and not leaf.origin.key
        common = [flag.removeprefix("--") for flag in COMMON_FLAGS] if is_flag and not path else []
        near = difflib.get_close_matches(name, [*known, *common], n=1)
        if near:
            hint = f"did you mean {_flag((*path, near[0])) if is_flag else near[0]}?"
        else:
            hint = why or f"known: {', '.join(known)}"
        expected = "a known flag" if is_flag else "a known key"
        self.problems.append(ConfigProblem(str(leaf.origin), shown(leaf), expected, hint))


def by_name(node: Node) -> Node:
    """A section chosen by `type`; a name alone is its type, so that `--robot=fake` is `--robot.type=fake`."""
    text = (node.text or "") if isinstance(node, Text | Scalar) else ""
    if not _NAME.fullmatch(text) or text.lower().endswith(SUFFIXES):
        return node
    return Table({"type": Scalar(text, True, node.origin)}, node.origin, step=True)


def _flag(path: Path) -> str:
    return f"--{'.'.join(path)}"


def _default(field: FieldInfo) -> Any:
    """Default of a field if that is a model, whose values then stand for what is not given."""
    default = field.get_default(call_default_factory=True, validated_data={})
    return default if default is not PydanticUndefined and isinstance(default, ConfigModel) else None


def is_null(node: Node) -> bool:
    """Whether a value stands for none at all."""
    if isinstance(node, Text):
        return node.text in NULL
    return isinstance(node, Scalar) and not node.quoted and node.text in {*NULL, "~", ""}


def _has_parts(node: Node) -> bool:
    if isinstance(node, Text):
        text = (node.text or "").lstrip()
        return text.startswith(("{", "[")) or text.rstrip().lower().endswith(SUFFIXES)
    return isinstance(node, Table | Items)


def _opens_list(node: Node) -> bool:
    return isinstance(node, Items) or (isinstance(node, Text) and (node.text or "").lstrip().startswith("["))


def _has_empty_form(field: FieldInfo) -> bool:
    """Whether a required section can be complete with nothing given: its own fields say what is missing."""
    parts = members(field.annotation)
    return len(parts) == 1 and is_model(parts[0])
