"""What core promises to plugins, as one number.

A distribution declares the number it was made for in its metadata, where it is read without importing anything; the
value is the import package:

    [project.entry-points."lerobot.plugin_api"]
    1 = "lerobot_my_arm"
"""

PLUGIN_API = 1
"""Grows by one when plugins must be changed to go on working; those made for the number before still load."""

API_GROUP = "lerobot.plugin_api"

UNDECLARED_API = 1
"""What a distribution is taken to be made for that declares nothing."""


def api_problem(declared: int) -> str:
    """Say how a plugin's number differs from core's; empty if it does not."""
    if declared == PLUGIN_API:
        return ""
    remedy = "upgrade lerobot-core" if declared > PLUGIN_API else "upgrade the plugin"
    return f"it is made for plugin API {declared}, lerobot-core has {PLUGIN_API}; {remedy}"


def still_loads(declared: int) -> bool:
    """Whether a plugin made for this number can be used."""
    return declared in {PLUGIN_API - 1, PLUGIN_API}
