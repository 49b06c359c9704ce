"""However long an episode is, few of its frames are in memory at once."""

import gc
import weakref

import numpy as np
import pytest

from lerobot.dataset_tools.conversion.convert import import_dataset
from lerobot.dataset_tools.formats import arrays
from lerobot.dataset_tools.formats.npz import ZippedArray
from lerobot.dataset_tools.formats.source import SourceField
from lerobot.datasets.writer.options import WritingOptions

SHAPE = (64, 64, 3)


class Pixels(bytearray):
    """Memory of one image, alive as long as any array that looks into it."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


class Endless:
    """A source of one long episode that counts how many of its images are alive."""

    fields = (
        SourceField("cam", "uint8", SHAPE, "observation.images.cam"),
        SourceField("act", "float32", (1,), "action"),
    )
    episodes = ("one",)
    fps = 10.0
    task = "t"

    def __init__(self, length):
        self.length = length
        self.alive = weakref.WeakSet()
        self.most = 0

    def frames(self, _episode, names):
        for number in range(self.length):
            pixels = Pixels(np.full(SHAPE, number % 256, np.uint8))
            self.alive.add(pixels)
            self.most = max(self.most, len(self.alive))
            values = {"cam": np.frombuffer(pixels, np.uint8).reshape(SHAPE), "act": np.float32([number])}
            yield {name: values[name] for name in names}

    def close(self):
        pass


def test_images_alive_do_not_grow_with_the_episode(tmp_path):
    most = {}
    for length in (100, 400):
        source = Endless(length)
        import_dataset(source, tmp_path / str(length), options=WritingOptions(encoder_queue_maxsize=5))
        gc.collect()
        assert len(source.alive) <= 1
        most[length] = source.most
    assert most[400] <= most[100] + 1 <= 10


class Watched:
    """An array that notes how many rows are asked for at once."""

    def __init__(self, array, chunks=None):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.chunks = chunks
        self.asked = []

    def __getitem__(self, rows):
        self.asked.append((rows.start, rows.stop))
        return self._array[rows]


@pytest.mark.parametrize(("chunks", "most"), [(None, 10), ((4,), 8), ((16,), 16)])
def test_blocks_have_a_size_and_end_where_chunks_do(monkeypatch, chunks, most):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 10 * 12)
    array = Watched(np.arange(300, dtype="f4").reshape(100, 3), chunks)
    field = arrays.field_of("a", array, lambda *_: "x")
    found = [frame["a"] for frame in arrays.read_frames("", {"a": array}, [field], {"a"}, range(7, 93))]
    np.testing.assert_array_equal(np.stack(found), np.arange(300).reshape(100, 3)[7:93])
    assert max(stop - start for start, stop in array.asked) == most
    assert [start for start, _ in array.asked[1:]] == [stop for _, stop in array.asked[:-1]]
    if chunks:
        assert all(stop % chunks[0] == 0 for _, stop in array.asked[:-1])


def test_an_archive_is_read_in_blocks(tmp_path, kit, monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 100)
    asked = []
    read = ZippedArray.__getitem__
    monkeypatch.setattr(ZippedArray, "__getitem__", lambda self, rows: asked.append(rows) or read(self, rows))
    np.savez_compressed(tmp_path / "a.npz", action=np.arange(1000, dtype="f4").reshape(500, 2))
    kit.convert("npz", tmp_path / "a.npz", tmp_path / "set")
    np.testing.assert_array_equal(kit.read(tmp_path / "set").columns["action"].ravel(), np.arange(1000))
    assert max(rows.stop - rows.start for rows in asked) == 12
