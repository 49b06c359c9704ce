"""Arrows point down between packages. The floors are those of the table in ARCHITECTURE.md."""

import re

import pytest
from source_tree import ROOT, Package, distribution, packages, requirements

TABLE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FLOORS = {
    name: int(row[1])
    for row in re.finditer(r"^\| (\d+) \| ([^|]+) \|", TABLE, re.MULTILINE)
    for name in re.findall(r"`(lerobot-[\w-]+)`", row[2])
}
"""Floor of each package that others may stand on."""

TOP = max(FLOORS.values()) + 1
"""Floor of every other package: plugins, and what installs plugins."""

INSTALLERS = {"lerobot-quickstart"} | {package.name for package in packages() if package.bundle}
"""They need plugins, and import none of them."""

every_package = pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)


def floor(name: str) -> int:
    return FLOORS.get(name, TOP)


def too_high(others: set[str | None], package: Package) -> list[str]:
    """Those of our packages among `others` that do not stand below this one."""
    return sorted(
        f"{name} on floor {floor(name)}"
        for name in others
        if name and name.startswith("lerobot-") and name != package.name and floor(name) >= floor(package.name)
    )


def test_the_table_names_packages_that_are_there() -> None:
    assert set(FLOORS) <= {package.name for package in packages()}
    assert FLOORS["lerobot-core"] == 0


@every_package
def test_a_package_stands_above_what_it_needs(package: Package) -> None:
    needed = set(requirements(package, extras=True))
    if package.name in INSTALLERS:
        needed = {name for name in needed if name in FLOORS}
    assert not too_high(needed, package), f"{package.name} is on floor {floor(package.name)} of ARCHITECTURE.md"


@every_package
def test_what_a_package_imports_stands_below_it(package: Package) -> None:
    imported = {distribution(found.module) for module in package.modules for found in module.imports}
    assert not too_high(imported, package), f"{package.name} is on floor {floor(package.name)} of ARCHITECTURE.md"
