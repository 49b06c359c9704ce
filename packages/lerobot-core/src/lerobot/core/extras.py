"""Optional dependencies: asked for where they are used, with the command that installs them."""

import importlib
from types import ModuleType

from lerobot.core.errors import LeRobotError
from lerobot.core.registry.catalog import install_hint


def require(module: str, *, extra: str, needed_by: str, distribution: str = "lerobot-core") -> ModuleType:
    """Import a module that only an extra of a distribution brings.

    Args:
        module: name of the module, such as `"numpy"` or `"cookiecutter.generate"`.
        extra: extra that installs it.
        needed_by: what cannot go on without it, as the user knows it.
        distribution: whose extra it is.

    Raises:
        LeRobotError: it is not installed; the hint is the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # What is missing may be the module or a package around it; anything else is missing inside of it.
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        raise LeRobotError(
            f"{needed_by} needs '{module.partition('.')[0]}', which is not installed.",
            hint=install_hint(distribution, extra),
        ) from error
