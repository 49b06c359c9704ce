"""The contract of plugin packages: metadata, lightness, documentation."""

import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import PluginConfig
from lerobot.core.registry import KINDS, PLUGIN_API, Discovered, registry
from lerobot.core.registry.api import API_GROUP
from lerobot.core.registry.catalog import known_plugins
from lerobot.core.registry.discovery import canonical
from lerobot.core.testing.contracts.base import Contract

HEAVY = ("cv2", "gymnasium", "numpy", "serial", "torch", "transformers")
"""What a configuration module may not import: help, completion and validation load it."""


class PluginPackageContract(Contract):
    """An installed plugin package, editable or not. Set `distribution` to its name.

    Attributes:
        distribution: name of the distribution, as in its pyproject.toml.
    """

    distribution: ClassVar[str] = ""

    @pytest.fixture
    def plugins(self) -> list[Discovered]:
        """What the package registers; hooks are objects, not configurations, and are left out."""
        if not self.distribution:
            pytest.fail("set `distribution` to the name of your package")
        return [
            found
            for found in registry.plugins()
            if found.distribution == canonical(self.distribution) and KINDS[found.kind].config_base
        ]

    @pytest.fixture
    def metadata(self) -> Any:
        """Metadata of the installed distribution."""
        return importlib.metadata.metadata(self.distribution)

    def test_it_registers_something(self, plugins: list[Discovered]) -> None:
        """The package has entry points in `lerobot.*` groups.

        Repair: add `[project.entry-points."lerobot.robots"]` (or another group) to pyproject.toml and install again.
        """
        assert plugins

    def test_the_plugin_api_is_declared(self) -> None:
        """The package says which plugin API it is tested with, so that later versions of core know whether it fits.

        Repair: add `[project.entry-points."lerobot.plugin_api"]` with the line `1 = "your_package"` to pyproject.toml,
        the number being `lerobot.core.registry.PLUGIN_API`, and install again.
        """
        points = importlib.metadata.distribution(self.distribution).entry_points.select(group=API_GROUP)
        assert [point.name for point in points] == [str(PLUGIN_API)]

    def test_every_entry_point_resolves(self, plugins: list[Discovered]) -> None:
        """Each entry point names a configuration class of its kind that can be imported.

        Repair: the assertion shows the cause for each; correct `module:Class` or the module, then install again.
        """
        broken = {found.name: str(error) for found in plugins if (error := registry.check(found)) is not None}
        assert not broken

    def test_every_implementation_can_be_imported(self, plugins: list[Discovered]) -> None:
        """What the configuration's `target` names exists.

        Repair: correct `target = "package.module:Class"`, or declare the dependency that is missing.
        """
        for found in plugins:
            config_class = registry.config_class(found.kind, found.name)
            module, _, name = config_class.target.partition(":")
            assert hasattr(importlib.import_module(module), name), config_class.target

    def test_names_agree(self, plugins: list[Discovered]) -> None:
        """The entry point's name is the configuration's `type`, in snake_case unless huggingface/lerobot has another.

        Repair: use one name in pyproject.toml and as default of `type`. Commands have no type and are not concerned.
        """
        for found in plugins:
            config_class = registry.config_class(found.kind, found.name)
            if issubclass(config_class, PluginConfig):
                assert config_class.model_fields["type"].default == found.name
                known = known_plugins(found.kind)
                assert re.fullmatch(r"[a-z][a-z0-9_]*", found.name) or found.name in known, found.name

    def test_configurations_are_light(self, plugins: list[Discovered]) -> None:
        """Importing a configuration loads no heavy library.

        Repair: move the import into the implementation module, which only `build()` imports.
        """
        modules = sorted({found.value.partition(":")[0] for found in plugins})
        program = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
    if heavy := {set(HEAVY)!r} & set(sys.modules):
        sys.exit(f"{{name}} imports {{', '.join(sorted(heavy))}}")
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_the_namespace_stays_open(self) -> None:
        """The package brings no `lerobot/__init__.py`, which would hide every other one.

        Repair: delete the file; `lerobot` is a namespace package. Third parties use a top-level package of their own.
        """
        files = importlib.metadata.files(self.distribution) or []
        assert not [str(file) for file in files if file.as_posix() == "lerobot/__init__.py"]
        spec = importlib.util.find_spec("lerobot")
        assert spec is None or spec.origin is None, f"{spec.origin} makes `lerobot` a regular package"

    def test_types_are_published(self, plugins: list[Discovered]) -> None:
        """The import package has a `py.typed`, so that users' type checkers see its annotations.

        Repair: put an empty file `py.typed` beside the package's `__init__.py`.
        """
        for found in plugins:
            assert any((folder / "py.typed").exists() for folder in _folders(found.value)), found.value

    def test_it_can_be_found_and_read_about(self, metadata: Any) -> None:
        """Summary, licence, a URL and a README with the install line are in the metadata.

        Repair: fill `description`, `license`, `urls` and `readme` in pyproject.toml; write `pip install NAME` in the
        README, or how else NAME is installed while no index has it: `pip install ./folder/NAME`.
        """
        assert metadata.get("Summary")
        assert metadata.get("License-Expression") or metadata.get("License")
        assert metadata.get_all("Project-URL"), "add [project.urls]"
        text = metadata.get_payload() or metadata.get("Description") or ""
        assert re.search(rf"pip install\b[^\n]*[\s/'\"]{re.escape(self.distribution)}\b", text)


def _folders(value: str) -> list[Path]:
    """Folders of the packages a module lies in, outermost first."""
    parts = value.partition(":")[0].split(".")
    folders: list[Path] = []
    for length in range(1, len(parts)):
        spec = importlib.util.find_spec(".".join(parts[:length]))
        folders += [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    return folders
