"""Several ticks become one row."""

from lerobot.core.tick import Tick
from lerobot.core.types import Observation
from lerobot.datasets.record.row_ticks import RowTicks


def test_a_row_is_what_was_observed_first_and_sent_last() -> None:
    taken: list[Tick] = []

    class Sink:
        def write(self, tick: Tick) -> None:
            taken.append(tick)

    rows = RowTicks(Sink(), 3)
    for index in range(8):
        values = {"a.pos": float(index)}
        rows.write(Tick(index, 2 * index, index, index + 0.5, Observation(values), values, values, values, 0.0, index))
    assert [tick.index for tick in taken] == [0, 1]
    assert [tick.observation["a.pos"] for tick in taken] == [0.0, 3.0]
    assert [(tick.start_s, tick.deadline_s) for tick in taken] == [(0.5, 0), (3.5, 3)]
    assert [tick.sent["a.pos"] for tick in taken] == [2.0, 5.0]
    assert [tick.slot for tick in taken] == [1, 3]
