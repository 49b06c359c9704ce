"""`--help`, rendered; the only place that imports rich."""

from collections.abc import Mapping, Sequence

import typer
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lerobot.core.cli.describe import Row, Section, describe
from lerobot.core.config import CommandConfig
from lerobot.core.config.arguments import COMMON_FLAGS


def show_help(name: str, model: type[CommandConfig], arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Write the help of a command to standard output.

    Args:
        name: the command.
        model: its configuration.
        arguments: what else is on the line; a `type` among it adds that plugin's flags.
        environ: environment variables.
    """
    sections = describe(model, arguments, environ)
    common = Section("Every command", [Row(flag, "", "", False, text) for flag, text in COMMON_FLAGS.items()])
    common.note = "A flag NAME is also read from the variable LEROBOT_NAME; two underscores stand for the dot."
    positional = [row.flag for section in sections for row in section.rows if not row.flag.startswith("--")]
    console = Console(highlight=False)
    with console.capture() as captured:
        _print(console, name, model, [*sections, common], positional)
    # Tables are padded to the full width; the spaces would be in the way of whoever copies or pipes the text.
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=console.is_terminal)


def _print(
    console: Console, name: str, model: type[CommandConfig], sections: Sequence[Section], positional: Sequence[str]
) -> None:
    console.print(Text(f"Usage: lerobot {' '.join([name, *(f'[{word}]' for word in positional)])} [--FLAG=VALUE ...]"))
    console.print()
    console.print(Text((model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")))
    for section in sections:
        console.print()
        console.print(_section(section))
    if model.examples:
        console.print()
        console.print(Text("Examples", style="bold"))
        for example in model.examples:
            console.print(Text(f"  {example}"), soft_wrap=True)


def _section(section: Section) -> Group:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=36)
    grid.add_column(ratio=1)
    for row in section.rows:
        left = Text(row.flag, style="cyan" if row.flag.startswith("--") else "bold")
        left.append(f" {row.type} {row.unit}".rstrip(), style="dim")
        right = Text(row.text)
        if row.required:
            where = f" with {row.within}" if row.within else ""
            right.append(f"{' ' if row.text else ''}[required{where}]", style="red")
        elif row.default:
            right.append(f"{' ' if row.text else ''}[default: {row.default}]", style="dim")
        grid.add_row(left, right)
    parts: list[Padding | Text] = [Text(section.title, style="bold")]
    if section.rows:
        parts.append(Padding(grid, (0, 0, 0, 2)))
    if section.note:
        parts.append(Padding(Text(section.note, style="dim"), (0, 0, 0, 2)))
    return Group(*parts)
