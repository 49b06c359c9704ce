"""What each `pyproject.toml` declares: everything that is imported, ranges of our own versions, the plugin API."""

import pytest
from source_tree import Package, distribution, packages, requirements
from write_version import needed, ranged, templates

from lerobot.core.registry import PLUGIN_API

every_package = pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)


@every_package
def test_a_package_declares_what_it_imports(package: Package) -> None:
    declared = {name.lower() for name in requirements(package, extras=True)} | {package.name, None}
    undeclared = {
        f"{name} ({module.where}:{imported.line})"
        for module in package.modules
        for imported in module.imports
        if (name := distribution(imported.module)) not in declared
    }
    assert not undeclared


def test_all_packages_have_one_version() -> None:
    assert len({package.pyproject["project"]["version"] for package in packages()}) == 1


@every_package
def test_packages_of_the_repository_need_each_other_by_range(package: Package) -> None:
    """A plugin outlives a release: an exact version would tie it to one."""
    wanted = needed(package.pyproject["project"]["version"])
    ranges = {name: rest for name, rest in requirements(package, extras=True).items() if name.startswith("lerobot-")}
    assert ranges == dict.fromkeys(ranges, wanted)


@every_package
def test_a_package_with_plugins_says_which_plugin_api_it_is_made_for(package: Package) -> None:
    groups = package.pyproject["project"].get("entry-points", {})
    if any(group.startswith("lerobot.") for group in groups):
        name = package.name.removeprefix("lerobot-").replace("-", "_")
        assert groups.get("lerobot.plugin_api") == {str(PLUGIN_API): f"lerobot.{name}"}


def test_templates_declare_the_plugin_api_they_are_tested_with() -> None:
    texts = [file.read_text(encoding="utf-8") for file in templates()]
    assert texts
    for text in texts:
        assert f'[project.entry-points."lerobot.plugin_api"]\n{PLUGIN_API} = ' in text


def test_templates_need_our_packages_by_range() -> None:
    for file in templates():
        text = file.read_text(encoding="utf-8")
        assert "lerobot-core" in text
        assert ranged(text, packages()[0].pyproject["project"]["version"]) == text
