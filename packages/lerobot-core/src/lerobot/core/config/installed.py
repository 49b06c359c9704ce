"""Fields whose text is the name of an installed plugin."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Installed:
    """Marks a text as the name of an installed plugin of a kind: `arm: Annotated[str, Installed("virtual_arm")]`.

    Other names are refused and these completed, both from metadata alone.
    """

    kind: str

    def names(self) -> list[str]:
        """The names there are."""
        from lerobot.core.registry import registry

        return registry.names(self.kind)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept the names there are."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        names = self.names()
        if name not in names:
            raise ValueError(f"one of {', '.join(names) or '(none installed)'}")
        return name
