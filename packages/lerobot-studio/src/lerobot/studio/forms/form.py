"""The form of a command: its fields as they are for a command line, and the command line that it stands for.

A form keeps nothing but a command line. What is typed becomes flags, `describe` says which fields there are for these
flags and what each holds, and only what differs from its default is put on the line.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lerobot.core.cli.describe import Row, Section, describe
from lerobot.core.config import CommandConfig, load
from lerobot.core.config.arguments import DISCOVER, read_arguments
from lerobot.core.config.nodes import Table, Text
from lerobot.core.errors import ConfigError, LeRobotError

MORE = "more"
"""Name of the field for arguments that have none of their own."""

_OPEN_ROWS = 6
_NEEDED, _OWN, _REST = range(3)
_FLAG = re.compile(r"--[^\s=.]+(\.[^\s=.]+)*")
_PLACE = re.compile(r"[A-Z][A-Z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ON = "{}"


@dataclass(slots=True)
class Part:
    """A section and those inside it."""

    section: Section
    parts: list["Part"] = field(default_factory=list)
    is_member: bool = False
    """Whether a person chose its name, and may remove it."""

    def rows(self) -> Iterator[Row]:
        """Its fields, and those of the sections inside it."""
        yield from self.section.rows
        for part in self.parts:
            yield from part.rows()


@dataclass(slots=True)
class Form:
    """A command's form, filled in.

    Attributes:
        command: registered name.
        model: its configuration.
        arguments: the command line that the form stands for, after the command's name.
        top: the fields.
        more: arguments that no field shows, as they would be typed.
        problems: what is wrong, by the flag of its field; an empty flag for what no field shows.
    """

    command: str
    model: type[CommandConfig]
    arguments: list[str]
    top: Part
    more: str
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The command line, as a person would type it."""
        return shlex.join(["lerobot", self.command, *self.arguments])

    def parts(self) -> list[Part]:
        """The sections at the top: what must be given and what is chosen by its type, the command's own, the rest."""
        return sorted([Part(self.top.section), *self.top.parts], key=_rank)

    def shown(self, part: Part) -> list[Row]:
        """Fields of a section that are shown at once; the others are folded."""
        return [
            row
            for place, row in enumerate(part.section.rows)
            if place < _OPEN_ROWS or row.required or row.given or row.kinds or row.flag in self.problems
        ]

    def is_open(self, part: Part) -> bool:
        """Whether a section is shown at once: something of it must be given, is given or is wrong."""
        touched = any(row.given or row.flag in self.problems for row in part.rows())
        return touched or part.section.is_given or _rank(part) < _REST


def from_arguments(
    command: str, model: type[CommandConfig], arguments: Sequence[str], environ: Mapping[str, str]
) -> Form:
    """Fill in a form from a command line."""
    return _form(command, model, (), arguments, environ)


def from_fields(command: str, model: type[CommandConfig], sent: Mapping[str, str], environ: Mapping[str, str]) -> Form:
    """Fill in a form from what a browser sent.

    Args:
        command: registered name.
        model: its configuration.
        sent: text by name; what no field has is left out.
        environ: variables, which may set fields too.
    """
    problems: dict[str, list[str]] = {}
    typed = {name: text for name, text in sent.items() if text and (_FLAG.fullmatch(name) or _PLACE.fullmatch(name))}
    _change_members(sent, typed, problems)
    try:
        more = shlex.split(sent.get(MORE, ""))
    except ValueError as error:
        more, problems[MORE] = [], [f"{error}; what was typed: {sent[MORE]}"]
    form = _form(command, model, _flags(typed), more, environ)
    # The box of an optional section is not ticked, but fields in it are still there.
    if off := tuple(f"{flag}." for flag in _switches(form.top) if flag not in typed and f"off:{flag}" in sent):
        typed = {name: text for name, text in typed.items() if not name.startswith(off)}
        form = _form(command, model, _flags(typed), more, environ)
    form.problems = problems
    return form


def check(form: Form, environ: Mapping[str, str]) -> CommandConfig | None:
    """Validate a form; problems are noted at their fields.

    Returns:
        The configuration; None if there are problems, or the line names a package that only the command imports.
    """
    if form.problems or any(map(_names_package, form.arguments)):
        return None
    try:
        return load(form.model, form.arguments, environ).config
    except ConfigError as error:
        flags = {row.flag for row in form.top.rows()}
        for problem in error.problems:
            flag = problem.where.split(" ")[0]
            where = flag if flag in flags else ""
            hint = f" ({problem.hint})" if problem.hint else ""
            form.problems.setdefault(where, []).append(f"expected {problem.expected}{hint}" if where else str(problem))
    except LeRobotError as error:
        form.problems[""] = [str(error)]
    except Exception as error:  # noqa: BLE001 - a plugin's own check can raise anything, and is told as it is
        form.problems[""] = [f"This cannot be checked: {type(error).__name__}: {error}"]
    return None


def _form(
    command: str,
    model: type[CommandConfig],
    typed: Sequence[str],
    more: Sequence[str],
    environ: Mapping[str, str],
) -> Form:
    """The form for flags of fields, and further arguments, of which those that a field shows move there."""
    known = [word for word in more if not _names_package(word)]
    sections = describe(model, [*typed, *known], environ)
    shown = {row.given_by for section in sections for row in section.rows}
    shown |= {section.flag for section in sections if section.is_optional and section.is_given}
    left = list(_leftover(model, more, shown))
    return Form(command, model, [*_arguments(sections), *left], _tree(sections), shlex.join(left))


def _arguments(sections: Sequence[Section]) -> Iterator[str]:
    """What differs from its default, as arguments; those that are given by place first."""
    rows = [row for section in sections for row in section.rows]
    given = [row for row in rows if row.given and row.given != row.default]
    places = [row for row in rows if _PLACE.fullmatch(row.flag)]
    while places and places[-1] not in given:
        places.pop()
    by_place = [row.given or row.default for row in places]
    if not all(word and not word.startswith("--") for word in by_place):
        by_place = [f"--{row.flag.lower()}={row.given}" for row in places if row in given]
    yield from by_place
    yield from (f"{row.flag}={row.given}" for row in given if row not in places)
    for section in sections:
        inside = f"{section.flag}."
        if section.is_optional and section.is_given and not any(row.flag.startswith(inside) for row in given):
            yield f"{section.flag}={_ON}"


def _leftover(model: type[CommandConfig], arguments: Sequence[str], shown: set[str]) -> Iterator[str]:
    """Arguments that no field shows."""
    parsed = read_arguments(model, arguments)
    if parsed.config_file is not None:
        yield f"{parsed.config_file.origin.source}={parsed.config_file.text or ''}"
    yield from (f"{flag}={package}" for flag, package in parsed.packages)
    for layer in parsed.layers:
        while isinstance(layer, Table):
            layer = next(iter(layer.entries.values()))
        flag = layer.origin.source
        if flag not in shown and isinstance(layer, Text):
            yield flag if layer.text is None else f"{flag}={layer.text}"


def _tree(sections: Sequence[Section]) -> Part:
    """Sections inside those they belong to."""
    own = [section for section in sections if not section.flag]
    above = [top := Part(own[0] if own else Section("Options"))]
    for section in (section for section in sections if section.flag):
        while above[-1].section.flag and not section.flag.startswith(f"{above[-1].section.flag}."):
            above.pop()
        holders = {row.flag for row in above[-1].section.rows if row.kinds}
        part = Part(section, is_member=section.flag.rpartition(".")[0] in holders)
        above[-1].parts.append(part)
        above.append(part)
    return top


def _rank(part: Part) -> int:
    if any(row.required and not row.within for row in part.rows()):
        return _NEEDED
    flag = part.section.flag
    is_choice = "." not in flag and any(row.flag == f"{flag}.type" for row in part.section.rows)
    return _NEEDED if is_choice else _REST if flag else _OWN


def _switches(part: Part) -> Iterator[str]:
    """Flags of the sections that a box switches on."""
    if part.section.is_optional:
        yield part.section.flag
    for each in part.parts:
        yield from _switches(each)


def _change_members(sent: Mapping[str, str], typed: dict[str, str], problems: dict[str, list[str]]) -> None:
    """Add or remove what has a name, such as a camera, where that was the button."""
    if (gone := sent.get("remove")) and _FLAG.fullmatch(gone):
        for name in [name for name in typed if name.startswith(f"{gone}.")]:
            del typed[name]
    if (flag := sent.get("add")) and _FLAG.fullmatch(flag):
        name = sent.get(f"name:{flag}", "")
        if not _NAME.fullmatch(name):
            problems[flag] = ["expected a name of letters, digits, _ and -"]
        elif f"{flag}.{name}.type" in typed:
            problems[flag] = [f"expected another name; {name} is there"]
        else:
            typed[f"{flag}.{name}.type"] = sent.get(f"type:{flag}", "")


def _flags(typed: Mapping[str, str]) -> list[str]:
    return [f"{name if name.startswith('--') else f'--{name.lower()}'}={text}" for name, text in typed.items()]


def _names_package(argument: str) -> bool:
    """Whether an argument names a package to import, which only the command itself does."""
    return argument.partition("=")[0].replace("-", "_").endswith(DISCOVER)
