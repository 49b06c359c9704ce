"""The plugin registry: names from metadata, config classes on demand, implementations when built."""

from lerobot.core.registry.api import PLUGIN_API
from lerobot.core.registry.discovery import Damaged, Discovered
from lerobot.core.registry.kinds import KINDS, Kind, kind_of
from lerobot.core.registry.resolve import Registry, registry

__all__ = ["KINDS", "PLUGIN_API", "Damaged", "Discovered", "Kind", "Registry", "kind_of", "registry"]
