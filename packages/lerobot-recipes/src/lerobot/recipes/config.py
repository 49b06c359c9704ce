"""Configurations of the published datasets: plugins of `lerobot.dataset_formats`."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PathText
from lerobot.dataset_tools.formats.config import SourceConfig
from lerobot.recipes.recipe import Recipe, table
from lerobot.recipes.statement import statement


def _absolute(address: str) -> str:
    """A path from the root on, as processes in other folders read it too; an address stays."""
    return address if "://" in address else str(Path(address).absolute())


class PublishedConfig(SourceConfig):
    """Fields every published dataset has."""

    path: Annotated[PathText, AfterValidator(_absolute)] = Field(
        description="Folder or file: a path, or an address at gs://, s3://, https:// or hf://."
    )
    storage: dict[str, Any] = Field(
        default_factory=dict, description="Options of the address's driver, such as '{anon: true}' or '{token: anon}'."
    )
    files: list[str] | None = Field(
        default=None, description="Only these files of the folder, by their names below it, in this order."
    )
    as_published: bool | list[str] = Field(
        default=False,
        description="Values as the published copies have them, faults included: all faults, or those that are named.",
    )
    empty_instruction: str = Field(default="", description="The task of frames without an instruction.")

    def recipes(self) -> Mapping[str, Recipe]:
        """The recipes this may be, by layout; without those of other datasets."""
        return table(self.type)

    def source_name(self) -> str:
        """Last part of the address."""
        return self.path.rstrip("/").rpartition("/")[2]

    def known_robot_type(self) -> str | None:
        """Name of the robot."""
        return next(iter(self.recipes().values())).robot_type

    def faults(self) -> frozenset[str]:
        """Names of the faults that the result shall have."""
        known = frozenset(fault.name for recipe in self.recipes().values() for fault in recipe.faults)
        if isinstance(self.as_published, bool):
            return known if self.as_published else frozenset()
        return frozenset(self.as_published)

    def recipe(self) -> Recipe:
        """The recipe of what is at the address; without the faults that are asked for."""
        return next(iter(self.recipes().values()))

    def card_details(self) -> Mapping[str, str]:
        """What the recipe says, for the dataset's card."""
        recipe = self.recipe()
        return {
            "description": statement(recipe, self.faults()),
            "homepage": recipe.homepage,
            "license_name": recipe.licence,
        }

    @model_validator(mode="after")
    def _faults_are_known(self) -> Self:
        if isinstance(self.as_published, bool):
            return self
        known = sorted({fault.name for recipe in self.recipes().values() for fault in recipe.faults})
        for name in self.as_published:
            if name not in known:
                expected = f"as_published to name {_one_of(known, name)}, not {name!r}"
                raise PydanticCustomError("unknown_fault", "{expected}", {"expected": expected})
        return self


class RLDSRecipeConfig(PublishedConfig):
    """Fields of datasets that TensorFlow Datasets wrote."""

    split: str | None = Field(default=None, description="Import only this split, such as 'train'.")


class BridgeConfig(RLDSRecipeConfig):
    """BridgeData V2: its raw folders, or its RLDS in both versions."""

    target = "lerobot.recipes.bridge:open_bridge"

    type: str = "bridge"
    cameras: list[int] = Field(default=[0], description="Views of the raw folders: images0, images1, images2.")

    def recipe(self) -> Recipe:
        """The recipe of the layout that the address has, which is looked up."""
        # Looking at files needs drivers, which a configuration does not.
        from lerobot.recipes.bridge_layout import layout_of

        return self.recipes()[layout_of(self.path, self.storage)]


class DroidConfig(RLDSRecipeConfig):
    """DROID 1.0.0 and 1.0.1 in RLDS."""

    target = "lerobot.recipes.rlds:open_droid"

    type: str = "droid"


class OXEConfig(RLDSRecipeConfig):
    """A subset of Open X-Embodiment in RLDS, by its name."""

    target = "lerobot.recipes.rlds:open_oxe"

    type: str = "oxe"
    name: str = Field(description="Name of the subset, such as fractal20220817_data.")

    @field_validator("name")
    @classmethod
    def _name_is_known(cls, name: str) -> str:
        if name not in table("oxe"):
            raise PydanticCustomError("unknown_subset", "{expected}", {"expected": _one_of(list(table("oxe")), name)})
        return name

    def recipes(self) -> Mapping[str, Recipe]:
        """The subset's recipe."""
        return {self.name: table("oxe")[self.name]}


class UMIConfig(PublishedConfig):
    """Replay buffers of UMI, such as dataset.zarr.zip."""

    target = "lerobot.recipes.umi:open_umi"

    type: str = "umi"


def _one_of(known: list[str], given: str) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    return f"one of {', '.join(known) or 'no fault at all'}" + (f"; did you mean {near[0]!r}" if near else "")
