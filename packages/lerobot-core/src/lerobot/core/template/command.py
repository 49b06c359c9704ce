"""`lerobot new`: bake a plugin package from an installed template.

Each template is one that plain cookiecutter bakes too, with the same result. Its Python files end in `.{{ 'py' }}`,
which becomes `.py` when they are baked: until then installers that compile byte code leave them alone.
"""

import keyword
import re
from importlib.resources import as_file, files
from itertools import count

from lerobot.core.commands.new import NewConfig
from lerobot.core.errors import ConfigError, ConfigProblem, LeRobotError
from lerobot.core.extras import require
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.registry import registry
from lerobot.core.registry.catalog import known_plugins


def new(config: NewConfig, prompter: Prompter | None = None) -> None:
    """Run the command.

    Args:
        config: validated configuration.
        prompter: who is told what there is, or what to do next; the terminal if None.

    Raises:
        ConfigError: the name is taken or cannot be used; says a name that can.
        PluginError: there is no such template.
        LeRobotError: cookiecutter is not installed, or the folder exists.
    """
    prompter = prompter or TerminalPrompter()
    if config.plugin is None or config.name is None:
        for found in registry.plugins("template"):
            prompter.say(f"lerobot new {found.name} NAME    ({found.distribution})")
        return
    package = registry.find("template", config.plugin).value
    name = usable_name(config.plugin, config.name)
    generate = require("cookiecutter.generate", extra="new", needed_by="lerobot new")
    prompt = require("cookiecutter.prompt", extra="new", needed_by="lerobot new")
    with as_file(files(package) / config.plugin) as template:
        chosen = {"name": name.replace("_", "-"), "author": config.author, "license": config.license}
        context = generate.generate_context(str(template / "cookiecutter.json"), extra_context=chosen)
        context["cookiecutter"] = prompt.prompt_for_config(context, no_input=True)
        folder = config.output_dir / context["cookiecutter"]["__folder"]
        if folder.exists():
            raise LeRobotError(f"{folder} exists already.", hint="Choose another name, or another --output_dir.")
        config.output_dir.mkdir(parents=True, exist_ok=True)
        generate.generate_files(str(template), context, str(config.output_dir), accept_hooks=False)
    prompter.say(f"Made {folder}. Next:")
    prompter.say(f"  uv pip install -e '{folder}[test]'")
    prompter.say(f"  lerobot plugins info {config.plugin} {name}")
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
