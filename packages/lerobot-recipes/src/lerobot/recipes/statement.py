"""What a recipe says of a dataset, in words: for its card and for the reference."""

from collections.abc import Collection

from lerobot.recipes.recipe import Recipe


def statement(recipe: Recipe, as_published: Collection[str] = ()) -> str:
    """The meaning of every number that a recipe's dataset holds.

    Args:
        recipe: the recipe without faults.
        as_published: names of the faults that the dataset has.
    """
    given = recipe.as_published(as_published)
    facts = {
        "source": f"{recipe.title}; version {' or '.join(recipe.versions)}",
        "rate": f"{given.fps:g} frames and actions a second",
        "state": recipe.state,
        "action": recipe.action if "action" in given.features else "none",
        "rotation": recipe.rotation,
        "gripper": recipe.gripper,
        "colour": recipe.colour,
        "instruction": recipe.language,
    }
    if given.skip_first:
        facts["left out"] = f"the first {given.skip_first} step of each episode"
    lines = [f"- {name}: {text}" for name, text in facts.items()]
    lines += [f"- {note}" for note in recipe.notes]
    for fault in recipe.faults:
        chosen = f"as published: {fault.what}" if fault.name in as_published else fault.here
        lines.append(f"- {fault.name}: {chosen} ({fault.source})")
    return "\n".join(lines)
