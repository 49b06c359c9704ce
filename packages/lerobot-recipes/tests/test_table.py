"""The table of recipes: whole, and every operation and fault in it known and meaningful."""

import pytest

from lerobot.core.registry import registry
from lerobot.recipes import operations
from lerobot.recipes.recipe import TABLES, Recipe, table
from lerobot.recipes.source import CODE_POINTS, SUCCESS
from lerobot.recipes.statement import statement

RECIPES = {f"{name}: {key}": recipe for name in TABLES for key, recipe in table(name).items()}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_operation_is_known(recipe):
    known = {*operations.NUMBERS, *operations.IMAGES, SUCCESS, CODE_POINTS, ""}
    everything = [recipe, recipe.as_published([fault.name for fault in recipe.faults])]
    parts = [part for each in everything for given in each.features.values() for part in given]
    assert {part.operation for part in [*parts, *recipe.instructions]} <= known
    assert all(part.field or part.names for part in parts)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_statement_says_what_numbers_mean(recipe):
    said = statement(recipe)
    for name in ("source", "rate", "state", "action", "rotation", "gripper", "colour", "instruction"):
        assert f"- {name}: " in said
    for fault in recipe.faults:
        assert fault.here in said
        assert f"as published: {fault.what}" in statement(recipe, [fault.name])


def test_faults_change_something():
    """Of those the table says, all but the one that the reader of raw folders knows of."""
    for recipe in RECIPES.values():
        for fault in recipe.faults:
            changed = recipe.as_published([fault.name]) != recipe
            assert changed or fault.name == "latency"


def test_as_published_leaves_the_recipe_as_it_is():
    recipe = table("umi")["umi"]
    assert "action" not in recipe.as_published(["no_action"]).features
    assert "action" in recipe.features
    assert isinstance(recipe, Recipe)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_a_format(name):
    assert registry.config_class("dataset_format", name).model_fields["type"].default == name
