"""Configurations of commands, as programs for huggingface/lerobot make them: with its names of their fields."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import create_model, model_validator

from lerobot.core.config.base import CommandConfig

log = logging.getLogger(__name__)


@cache
def command(config: type[CommandConfig]) -> Any:
    """The configuration of a command; what it has as an earlier flag is an argument here.

    Args:
        config: configuration of the command.
    """
    validators: dict[str, Any] = {"_by_present_names": model_validator(mode="before")(by_present_names)}
    return create_model(
        config.__name__,
        __base__=config,
        __module__=config.__module__,
        __doc__=config.__doc__,
        __validators__=validators,
    )


def by_present_names(cls: type[CommandConfig], values: Any) -> Any:
    """Put the value of an earlier field where the present one is, with a notice.

    Args:
        cls: configuration, with `earlier_flags`.
        values: its fields; what is no mapping is left to the configuration's own checks.
    """
    if not isinstance(values, Mapping):
        return values
    given = dict(values)
    for earlier, present in cls.earlier_flags.items():
        if earlier not in given:
            continue
        log.warning("%s(%s=...) is now: %s", cls.__name__, earlier, present)
        *sections, field = present.split(".")
        place = given
        for section in sections:
            place[section] = dict(place.get(section) or {})
            place = place[section]
        place[field] = given.pop(earlier)
    return given
