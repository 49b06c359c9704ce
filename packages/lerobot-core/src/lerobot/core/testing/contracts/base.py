"""What all contract suites share: no silent overrides, declared capabilities."""

from typing import Any, ClassVar

import pytest


class Contract:
    """Base of the suites.

    Attributes:
        capabilities: optional abilities this plugin has, of those in `optional`.
        optional: the abilities that may be declared, with one line each.
    """

    capabilities: ClassVar[frozenset[str] | set[str]] = frozenset()
    optional: ClassVar[dict[str, str]] = {}

    def require(self, capability: str, present: bool) -> None:
        """Go on if the plugin has this ability; skip if it neither declares nor has it; fail if the two differ.

        Args:
            capability: one of `optional`.
            present: whether the ability was detected.
        """
        declared = capability in self.capabilities
        if declared and not present:
            pytest.fail(
                f"'{capability}' is declared in `capabilities` but was not found: {self.optional[capability]}. "
                "Provide it, or remove it from `capabilities`."
            )
        if present and not declared:
            pytest.fail(
                f"'{capability}' was found but is not declared: {self.optional[capability]}. "
                f"Add capabilities = {{'{capability}'}} to the test class."
            )
        if not declared:
            pytest.skip(f"declared absent: {capability}")

    def test_no_standard_test_is_overridden(self) -> None:
        """Every standard test runs as it stands.

        Repair: remove your override. If your device really cannot pass, keep the override and mark it
        `@pytest.mark.xfail(reason="why")`; the reason is part of your documentation.
        """
        assert not overridden(type(self)), "standard tests were replaced or deleted without xfail(reason=...)"

    def test_declared_capabilities_exist(self) -> None:
        """`capabilities` names abilities this contract knows.

        Repair: correct the name; the attribute `optional` of the contract lists all of them.
        """
        assert set(self.capabilities) <= set(self.optional), f"choose from {sorted(self.optional)}"


def overridden(suite: type) -> list[str]:
    """List the standard tests a subclass replaced or deleted without saying why.

    Args:
        suite: a test class derived from contracts.

    Returns:
        Names, sorted.
    """
    contracts = [
        base for base in suite.__mro__ if issubclass(base, Contract) and base.__module__.startswith("lerobot.")
    ]
    standard = {name for base in contracts for name in vars(base) if name.startswith("test_")}
    return sorted(name for name in standard if not _intact(suite, name, contracts))


def _intact(suite: type, name: str, contracts: list[type]) -> bool:
    owner = next(base for base in suite.__mro__ if name in vars(base))
    if owner in contracts:
        return True
    marks: list[Any] = getattr(vars(owner)[name], "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
