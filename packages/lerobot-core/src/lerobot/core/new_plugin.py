"""`lerobot new`: bake a plugin package from the templates beside this module.

A package is the template `common` with the template of its kind laid over it. Its Python files end in `.{{ 'py' }}`,
which becomes `.py` when they are baked: until then installers that compile byte code leave them alone.
"""

import datetime
import keyword
import re
from importlib.metadata import version
from importlib.resources import as_file, files
from itertools import count

from lerobot.core.commands.new import NewConfig
from lerobot.core.errors import ConfigError, ConfigProblem, LeRobotError
from lerobot.core.extras import require
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.registry import KINDS, registry
from lerobot.core.registry.catalog import known_plugins


def new_plugin(config: NewConfig, prompter: Prompter | None = None) -> None:
    """Run the command.

    Args:
        config: validated configuration.
        prompter: who is told what to do next; the terminal if None.

    Raises:
        ConfigError: the name is taken or cannot be used; says a name that can.
        LeRobotError: cookiecutter is not installed, or the folder exists.
    """
    name = usable_name(config.plugin, config.name)
    generate = require("cookiecutter.generate", extra="new", needed_by="lerobot new")
    values = template_values(config, name)
    folder = config.output_dir / values["folder"]
    if folder.exists():
        raise LeRobotError(f"{folder} exists already.", hint="Choose another name, or another --output_dir.")
    config.output_dir.mkdir(parents=True, exist_ok=True)
    with as_file(files("lerobot.core") / "templates") as templates:
        for template in ("common", config.plugin):
            generate.generate_files(
                repo_dir=str(templates / template),
                context={"cookiecutter": values},
                output_dir=str(config.output_dir),
                overwrite_if_exists=True,
                accept_hooks=False,
            )
    prompter = prompter or TerminalPrompter()
    prompter.say(f"Made {folder}. Next:")
    prompter.say(f"  uv pip install -e '{folder}[test]'")
    prompter.say(f"  lerobot plugins info {config.plugin} {values['name']}")
    prompter.say(f"  pytest {folder}")


def usable_name(kind: str, given: str) -> str:
    """Check a plugin's name.

    Args:
        kind: registry kind.
        given: name as typed; hyphens and underscores are the same.

    Returns:
        The registered name, in snake_case.

    Raises:
        ConfigError: it is no name, or another package has it; carries the nearest name that can be used.
    """
    nearest = re.sub(r"[^a-z0-9]+", "_", given.lower()).strip("_")
    nearest = re.sub(r"^[0-9]+_*", "", nearest) or f"my_{kind}"
    if keyword.iskeyword(nearest):
        nearest = f"my_{nearest}"
    if given.replace("-", "_") != nearest:
        expected = "lower-case words of letters and digits joined by hyphens"
        raise ConfigError([ConfigProblem("NAME", given, expected, f"try '{nearest.replace('_', '-')}'")])
    taken = {*registry.names(kind), *known_plugins(kind)}
    if nearest in taken:
        free = next(name for number in count() if (name := f"my_{nearest}" + f"_{number}" * (number > 0)) not in taken)
        problem = ConfigProblem("NAME", given, f"a {kind} name nobody has", f"try '{free.replace('_', '-')}'")
        raise ConfigError([problem])
    return nearest


def template_values(config: NewConfig, name: str) -> dict[str, str]:
    """Give the values templates are filled with, by the names they use."""
    words = name.split("_")
    return {
        "kind": config.plugin,
        "group": KINDS[config.plugin].group,
        "name": name,
        "title": " ".join(words).capitalize(),
        "class_name": "".join(word.capitalize() for word in words),
        "folder": f"lerobot-{name.replace('_', '-')}",
        "distribution": f"lerobot-{config.plugin}-{name.replace('_', '-')}",
        "package": f"lerobot_{config.plugin}_{name}",
        "author": config.author,
        "license": config.license,
        "year": str(datetime.datetime.now(tz=datetime.UTC).year),
        "core_version": version("lerobot-core"),
    }
