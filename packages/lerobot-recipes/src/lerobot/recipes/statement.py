"""What a recipe says of a dataset, in words: for its card and for the reference."""

from collections.abc import Collection

from lerobot.recipes.recipe import TABLES, Part, Recipe, table


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
    if given.skip_first_step:
        facts["left out"] = "the first step of each episode"
    lines = [f"- {name}: {text}" for name, text in facts.items()]
    lines += [f"- {note}" for note in recipe.notes]
    for fault in recipe.faults:
        chosen = f"as published: {fault.what}" if fault.name in as_published else fault.here
        lines.append(f"- {fault.name}: {chosen} ({fault.source})")
    return "\n".join(lines)


def page() -> str:
    """The whole table in words: the reference of all recipes."""
    how = "[How to import them](../how-to/published-datasets.md)"
    parts = [f"# Published datasets\n\nWhat `lerobot convert-dataset --from=NAME` makes of each. {how}."]
    for name in TABLES:
        for key, recipe in table(name).items():
            flags = f"--from={name} --from.name={key}" if name == "oxe" else f"--from={name}"
            parts += [f"## {recipe.title}", f"`{flags}`", statement(recipe), _features(recipe), _faults(recipe)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _features(recipe: Recipe) -> str:
    rows = [f"| `{feature}` | {', '.join(map(_part, parts))} |" for feature, parts in recipe.features.items()]
    return "\n".join(["| feature | from |", "|---|---|", *rows])


def _part(part: Part) -> str:
    """Where a part of a feature is from, and what is done to it."""
    first, *last = part.columns or (0,)
    which = f" from number {first}" + (f" up to {last[0] - 1}" if last else "") if part.columns else ""
    operation = f", {part.operation}" if part.operation else ""
    return f"`{part.field}`{which}{operation}{', where there is one' if part.optional else ''}"


def _faults(recipe: Recipe) -> str:
    rows = [f"| `{fault.name}` | {fault.what} | {fault.here} | {fault.source} |" for fault in recipe.faults]
    head = ["| `--from.as_published` | published copies or loaders | here | known from |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else ""
