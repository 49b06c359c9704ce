"""Recipes of datasets in RLDS, wherever their files are."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import SourceFile, reading
from lerobot.dataset_tools.formats.rlds import (
    FEATURES_FILE,
    INFO_FILE,
    RECORD_FILES,
    RLDSEpisodes,
    lengths_of,
    of_split,
    shard_lengths,
)
from lerobot.dataset_tools.formats.source import EpisodeSource
from lerobot.recipes.config import DroidConfig, OXEConfig, PublishedConfig, RLDSRecipeConfig
from lerobot.recipes.places import Place, json_of
from lerobot.recipes.recipe import Recipe, table
from lerobot.recipes.source import RecipeSource

_NAME = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
"""How TensorFlow Datasets names files unless it is told otherwise."""


def open_droid(config: DroidConfig) -> EpisodeSource:
    """Open DROID, a folder such as `droid/1.0.1`.

    Raises:
        DatasetError: there is none, or it is something else.
    """
    return open_recipe(config, table("droid")["droid"])


def open_oxe(config: OXEConfig) -> EpisodeSource:
    """Open a subset of Open X-Embodiment.

    Raises:
        DatasetError: there is none, or it is something else.
    """
    return open_recipe(config, table("oxe")[config.name])


def open_recipe(config: RLDSRecipeConfig, recipe: Recipe) -> EpisodeSource:
    """Open a dataset in RLDS with its recipe.

    Raises:
        DatasetError: see `open_episodes`, or the dataset is another one.
    """
    episodes = open_episodes(config, recipe.compressed)
    with ExitStack() as stack:
        stack.callback(episodes.close)
        source = with_recipe(config, recipe, episodes)
        stack.pop_all()
    return source


def with_recipe(config: PublishedConfig, recipe: Recipe, episodes: EpisodeSource) -> RecipeSource:
    """Put the episodes of a dataset together as a recipe says.

    Raises:
        DatasetError: they are of another dataset.
    """
    return RecipeSource(
        episodes,
        recipe.as_published(config.faults()),
        config.path,
        empty_instruction=config.empty_instruction,
        others=_flags(),
    )


def open_episodes(config: RLDSRecipeConfig, compressed: Mapping[str, int]) -> RLDSEpisodes:
    """Open the files of a dataset as they are.

    Args:
        config: where they are and which.
        compressed: fields that hold compressed float32 numbers in place of a text, with how many.

    Raises:
        DatasetError: there are no records, or no description of them.
    """
    place = Place(config.path, config.storage)
    folder = place.parent() if _is_record_file(place.name) else place
    where = folder.child(FEATURES_FILE)
    content = where.read_if_there()
    if content is None:
        raise DatasetError(
            f"{config.path} holds no {FEATURES_FILE}", expected="the folder of a version, such as droid/1.0.1"
        )
    with reading(where.address):
        description = _with_compressed(json_of(content), compressed)
    info = folder.child(INFO_FILE).read_if_there()
    with reading(folder.child(INFO_FILE).address):
        said = {} if info is None else json_of(info)
        lengths = shard_lengths(said)
    files = [folder.child(name).file() for name in record_files(config, place, folder, said)]
    chosen: Sequence[SourceFile] = of_split(files, config.split, config.path)
    return RLDSEpisodes(chosen, lengths_of(chosen, lengths), description, where.address)


def record_files(config: RLDSRecipeConfig, place: Place, folder: Place, said: Mapping[str, Any]) -> list[str]:
    """Names of the files to read, in order.

    A folder on this machine may hold part of a dataset, so it is listed; on a server `dataset_info.json` is believed,
    where there is one.
    """
    if config.files is not None:
        return config.files
    if _is_record_file(place.name):
        return [place.name]
    if not folder.is_here and (names := _said_names(said)):
        return names
    found = folder.entries(RECORD_FILES)
    if not found:
        raise DatasetError(f"{config.path} holds no file to import", expected=f"files such as {RECORD_FILES}")
    return found


def _is_record_file(name: str) -> bool:
    return ".tfrecord" in name


def _said_names(info: Mapping[str, Any]) -> list[str]:
    """Names of the files that `dataset_info.json` tells of; none if it names them in another way."""
    names = []
    for split in info.get("splits", ()):
        lengths = split.get("shardLengths", ())
        if split.get("filepathTemplate", _NAME) != _NAME:
            return []
        stem = f"{info.get('name')}-{split['name']}.{info.get('fileFormat', 'tfrecord')}"
        names += [f"{stem}-{number:05d}-of-{len(lengths):05d}" for number in range(len(lengths))]
    return names


def _with_compressed(description: Any, compressed: Mapping[str, int]) -> Any:
    """The description with some texts declared to be what they hold."""
    for name, size in compressed.items():
        try:
            node = description["featuresDict"]["features"]["steps"]["sequence"]["feature"]
            feature = _found(node["featuresDict"]["features"], name)
        except KeyError:
            # A description that lacks it is of another dataset, which the recipe says.
            continue
        is_text = "text" in feature or feature.get("tensor", {}).get("dtype") in ("string", "object")
        if is_text:
            feature.pop("text", None)
            shape = {"dimensions": [str(size)]}
            feature["tensor"] = {"dtype": "float32", "shape": shape, "encoding": "zlib"}
    return description


def _found(features: dict[str, Any], name: str) -> dict[str, Any]:
    """A feature by its path, whose own name may hold a `/`."""
    for key, feature in features.items():
        if key == name:
            found: dict[str, Any] = feature
            return found
        if name.startswith(f"{key}/") and "featuresDict" in feature:
            return _found(feature["featuresDict"]["features"], name.removeprefix(f"{key}/"))
    raise KeyError(name)


def _flags() -> dict[str, Recipe]:
    """Recipes for RLDS by the flags that choose them."""
    bridge = {f"--from=bridge ({name})": recipe for name, recipe in table("bridge").items() if name != "raw"}
    oxe = {f"--from=oxe --from.name={name}": recipe for name, recipe in table("oxe").items()}
    return {"--from=droid": table("droid")["droid"], **bridge, **oxe}
