"""Whatever happens to page, studio, line or command: the arm holds or rests, and what was saved can be read."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from injections import KINDS, Bench

pytestmark = pytest.mark.browser

MANY, BENCHES = 1000, 4


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("bench"), seed=27)
    yield bench
    bench.close()
    assert bench.unsafe == bench.lost == []


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each(bench: Bench, kind: str) -> None:
    bench.inject(kind)
    assert bench.unsafe == bench.lost == []


def run_many(folder: Path, seed: int, count: int) -> Bench:
    bench = Bench(folder, seed)
    try:
        while bench.done.total() < count:
            bench.inject(bench.draw.choice(list(KINDS)))
            told = f"{dict(bench.done)}, {bench.checked} episodes read, unsafe {bench.unsafe}, lost {bench.lost}\n"
            (folder / "so_far.txt").write_text(told, encoding="utf-8")
    finally:
        bench.close()
    return bench


@pytest.mark.slow
@pytest.mark.timeout(10_000)
def test_a_thousand(tmp_path: Path) -> None:
    with ThreadPoolExecutor(BENCHES) as pool:
        places = [tmp_path / str(number) for number in range(BENCHES)]
        benches = list(pool.map(lambda place: run_many(place, int(place.name), MANY // BENCHES), places))
    for bench in benches:
        sys.stdout.write(f"{dict(bench.done)} {bench.checked} episodes read, held after {max(bench.held_after_s)}\n")
    assert [*benches[0].unsafe, *benches[0].lost] == []
    assert [wrong for bench in benches for wrong in (*bench.unsafe, *bench.lost)] == []
