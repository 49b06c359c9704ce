"""Tiny installed distributions made on the spot, to test what finds plugins."""

import importlib
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from lerobot.core.registry import Registry, kind_of


class PluginFolder:
    """A folder on `sys.path` that distributions can be put into, as `pip install` would.

    Args:
        folder: where they are written; must be on `sys.path`.
        registry: told to look again after each installation.
    """

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self._registry = registry

    def install(
        self,
        distribution: str,
        entry_points: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str] | None = None,
        *,
        version: str = "0.1.0",
    ) -> Path:
        """Write a distribution: its metadata and its modules.

        Args:
            distribution: name, such as `"lerobot-robot-my-arm"`.
            entry_points: per kind (`"robot"`) the registered names and where they point, `"module:Class"`.
            modules: source text by dotted module name.
            version: version of the distribution.

        Returns:
            The metadata folder.
        """
        metadata = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        groups = (
            f"[{kind_of(kind).group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for kind, points in entry_points.items()
        )
        (metadata / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
        for module, source in (modules or {}).items():
            file = self.folder.joinpath(*module.split(".")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()
        self._registry.refresh()
        return metadata

    def forget_modules(self) -> None:
        """Remove every module that was imported from the folder."""
        for name, module in list(sys.modules.items()):
            origin = getattr(module, "__file__", None) or ""
            if Path(origin).is_relative_to(self.folder):
                del sys.modules[name]
