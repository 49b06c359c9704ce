"""Which configurations describe fields by docstrings: looking for them costs milliseconds a class, and few need it."""

from typing import ClassVar, get_origin

from pydantic.fields import FieldInfo


def needs_docstrings(model: type) -> bool:
    """Whether a field that the class declares says nothing of itself unless a docstring does.

    Pydantic asks for the answer when it collects the fields, which comes after `__init_subclass__`.

    Args:
        model: class that is being made. Its class variables are no fields, and every plugin says what its `type` is
            called, not what a type is.
    """
    kinds = model.__annotations__
    values = {name for name, kind in kinds.items() if ClassVar in (kind, get_origin(kind))} | {"type"}
    fields = [model.__dict__.get(name) for name in kinds if name not in values and not name.startswith("_")]
    return any(not isinstance(field, FieldInfo) or field.description is None for field in fields)
