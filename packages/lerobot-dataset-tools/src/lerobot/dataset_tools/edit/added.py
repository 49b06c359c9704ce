"""Columns that an edit adds: values of every frame, in memory or in a file that every worker can read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.groups import state_of
from lerobot.datasets.format.features import STRING, Feature


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """A column that no source has.

    Attributes:
        values: of every frame, `(frames, *shape)`, as they are declared.
        file: the .npy file that holds them, in a type that can be cast to the declared one.
    """

    values: NDArray[Any]
    file: Path | None = None

    def part(self, rows: slice) -> dict[str, Any]:
        """Values of some frames, as JSON where they are in a file or all the same."""
        if self.file is not None:
            return {"file": str(self.file.absolute()), "state": state_of([self.file]), "first": rows.start}
        values = self.values[rows]
        return {"value": values[:1].tolist()[0]} if (values == values[:1]).all() else {"values": values}


def values_of(part: Mapping[str, Any], feature: Feature, rows: slice) -> NDArray[Any]:
    """Values of some frames of a part.

    Args:
        part: of `AddedColumn.part`.
        feature: declaration.
        rows: which frames, from the first one of the part.
    """
    if "values" in part:
        values: NDArray[Any] = part["values"][rows]
        return values
    dtype = object if feature["dtype"] == STRING else feature["dtype"]
    shape = (rows.stop - rows.start, *(() if feature["shape"] == (1,) else feature["shape"]))
    if "value" in part:
        return np.broadcast_to(np.array(part["value"], dtype), shape)
    first = part["first"] + rows.start
    return read_array(Path(part["file"]))[first : first + shape[0]].reshape(shape).astype(dtype)


def read_array(path: Path) -> NDArray[Any]:
    """The array of an .npy file, which stays on the disk until its values are looked at.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}", expected="an .npy file of numbers or texts") from error
    return values
