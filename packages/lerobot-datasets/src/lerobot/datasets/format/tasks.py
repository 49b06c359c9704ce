"""The task table: instruction texts, numbered by row."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from lerobot.core.errors import DatasetError
from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import UNREADABLE, read_table
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.jsonl import read_jsonl

# The peer reads the table with pandas and takes the index as the text, so its metadata must name the index column.
_PANDAS_METADATA = json.dumps(
    {
        "index_columns": ["task"],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
        ],
        "attributes": {},
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
).encode()


class Tasks:
    """Instruction texts by number; new ones are appended in the order they are first seen.

    Args:
        names: texts; position is the `task_index`.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: list[str] = []
        self._indices: dict[str, int] = {}
        for name in names:
            self._names.append(name)
            self._indices.setdefault(name, len(self._names) - 1)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._indices

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tasks) and self._names == other._names

    __hash__ = None  # type: ignore[assignment] # it grows while recording

    @property
    def names(self) -> list[str]:
        """Texts in order of their number."""
        return list(self._names)

    def name(self, task_index: int) -> str:
        """Text of a number.

        Raises:
            DatasetError: there is no such task.
        """
        if not 0 <= task_index < len(self._names):
            raise DatasetError(f"task_index {task_index} is not in the task table", expected=f"below {len(self)}")
        return self._names[task_index]

    def index(self, name: str) -> int | None:
        """Number of a text, None if it is new."""
        return self._indices.get(name)

    def add(self, name: str) -> int:
        """Number of a text, which is appended if it is new."""
        if (known := self._indices.get(name)) is not None:
            return known
        self._indices[name] = len(self._names)
        self._names.append(name)
        return self._indices[name]

    def to_arrow(self) -> pa.Table:
        """The v3.0 table: `task_index` int64 and `task` string, the latter as pandas index."""
        columns = [pa.array(range(len(self)), pa.int64()), pa.array(self._names, pa.string())]
        table = pa.table(columns, names=["task_index", "task"])
        return table.replace_schema_metadata({b"pandas": _PANDAS_METADATA})


def load_tasks(root: Path, info: Info) -> Tasks:
    """Read the task table of any version.

    Returns:
        The tasks; empty for a dataset without episodes whose table was not written yet.

    Raises:
        DatasetError: the table is missing or damaged.
    """
    path = root / (layout.LEGACY_TASKS_PATH if info.is_legacy else layout.TASKS_PATH)
    if not path.exists():
        if info.total_episodes == 0:
            return Tasks()
        raise DatasetError(f"{path} is missing, so no frame has its task")
    return _read_jsonl(path) if info.is_legacy else _read_parquet(path)


def _read_jsonl(path: Path) -> Tasks:
    try:
        by_index = {int(row["task_index"]): str(row["task"]) for row in read_jsonl(path)}
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is damaged: {error!r}", expected="lines with task_index and task") from error
    # Numbers without a line keep their place, so that every other number still finds its text.
    return Tasks(by_index.get(i, "") for i in range(max(by_index, default=-1) + 1))


def _read_parquet(path: Path) -> Tasks:
    try:
        table = read_table(path)
    except UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    texts += [name for name in table.column_names if pa.types.is_large_string(table.schema.field(name).type)]
    if len(texts) != 1:
        raise DatasetError(f"{path} has columns {table.column_names}", expected="task_index and one text column")
    # By row, as the peer looks them up; the task_index column is not consulted.
    return Tasks(table.column(texts[0]).to_pylist())
