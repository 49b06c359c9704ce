"""Parts of videos: copied where they stand alone, else encoded so that every image decodes to the same values."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.cut import copy_ranges, copyable, encode_range
from lerobot.datasets.video.decode import VideoFile

CODECS = {
    "closed": ("libx264", "yuv420p", {"g": "4", "bf": "0"}),
    "b_frames": ("libx264", "yuv420p", {"g": "4", "bf": "2", "b-adapt": "0"}),
    "open_groups": ("libx264", "yuv420p", {"g": "8", "x264-params": "open-gop=1:b-adapt=0:bframes=2:scenecut=0"}),
    "depth": ("libx265", "gray12le", {"g": "2", "x265-params": "lossless=1:log-level=error"}),
    "av1": ("libsvtav1", "yuv420p", {"g": "4", "preset": "12"}),
}


def write(path, codec, pix_fmt, options, images=12, rate=Fraction(30), size=(64, 96)):
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (*size, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        for k in range(images):
            frame = av.VideoFrame.from_ndarray(np.roll(base, 5 * k, axis=1), format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = k, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decode(path, is_depth):
    file = VideoFile(path, is_depth=is_depth)
    try:
        return np.stack(list(file.read(range(len(file.table))).values())), file.table
    finally:
        file.close()


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001)])
def test_parts_decode_to_the_same_images(tmp_path, name, rate):
    codec, pix_fmt, options = CODECS[name]
    write(tmp_path / "whole.mp4", codec, pix_fmt, options, rate=rate)
    is_depth = name == "depth"
    whole, table = decode(tmp_path / "whole.mp4", is_depth)
    parts = [(0, 3), (4, 8), (8, 9), (9, 12)]
    flags = copyable(tmp_path / "whole.mp4", table, parts)
    assert not flags[3] or 9 in table.key_positions  # a part that begins between key frames cannot be copied
    if name in ("closed", "av1"):
        assert flags[:3] == [True, True, True]
    chosen = [part for part, flag in zip(parts, flags, strict=True) if flag]
    if chosen:
        times = copy_ranges(tmp_path / "whole.mp4", table, chosen, tmp_path / "copy.mp4")
        copied, new_table = decode(tmp_path / "copy.mp4", is_depth)
        np.testing.assert_array_equal(copied, np.concatenate([whole[a:b] for a, b in chosen]))
        steps = np.cumsum([0, *(b - a for a, b in chosen)])
        np.testing.assert_allclose(times, steps / float(rate), atol=1e-5)
        assert [new_table.nearest(time) for time in times] == steps.tolist()
    for part, flag in zip(parts, flags, strict=True):
        if not flag:
            seconds = encode_range(tmp_path / "whole.mp4", table, part, tmp_path / "new.mp4")
            anew, _ = decode(tmp_path / "new.mp4", is_depth)
            np.testing.assert_array_equal(anew, whole[slice(*part)])
            assert seconds == pytest.approx((part[1] - part[0]) / float(rate), abs=1e-5)


def test_open_groups_are_recognized(tmp_path):
    """Images shown before a key frame but stored after it need it, so nothing may end just before it."""
    write(tmp_path / "whole.mp4", *CODECS["open_groups"], images=24)
    _, table = decode(tmp_path / "whole.mp4", is_depth=False)
    spans = list(pairwise([*table.key_positions.tolist(), len(table)]))
    assert len(spans) > 2
    assert not all(copyable(tmp_path / "whole.mp4", table, spans))


def test_a_single_image_lasts_as_long_as_its_file(tmp_path):
    write(tmp_path / "one.mp4", *CODECS["closed"], images=1)
    _, table = decode(tmp_path / "one.mp4", is_depth=False)
    assert copy_ranges(tmp_path / "one.mp4", table, [(0, 1)], tmp_path / "copy.mp4") == [0, pytest.approx(1 / 30)]


def test_a_truncated_file_is_named(tmp_path):
    write(tmp_path / "whole.mp4", *CODECS["closed"], images=40)
    _, table = decode(tmp_path / "whole.mp4", is_depth=False)
    data = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "whole.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match=r"whole\.mp4"):
        copyable(tmp_path / "whole.mp4", table, [(0, 40)])


@pytest.mark.parametrize("group", [2, 5])
def test_episodes_between_key_frames_keep_every_image(tmp_path, group, hashes):
    """A dataset whose videos were joined by others, without a key frame at each episode."""
    import json

    from lerobot.dataset_tools.edit.selection import delete_episodes, split
    from lerobot.datasets.video.encoder_config import RGBEncoderConfig
    from lerobot.datasets.writer.options import WritingOptions
    from lerobot.datasets.writer.recorder import DatasetRecorder

    names = ["height", "width", "channels"]
    features = {"observation.images.cam": {"dtype": "video", "shape": (64, 96, 3), "names": names}}
    options = WritingOptions(rgb_encoder=RGBEncoderConfig(g=group))
    base = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    with DatasetRecorder.create(tmp_path / "set", 30, features, options=options) as recorder:
        for k in range(12):
            recorder.add_frame({"observation.images.cam": np.roll(base, 5 * k, axis=0)}, "task")
        recorder.save_episode()
    _cut_into_episodes(tmp_path / "set", [3, 4, 5])
    before = hashes(tmp_path / "set")
    kept = delete_episodes(tmp_path / "set", [0], tmp_path / "kept").root
    assert hashes(kept) == before[3:]
    parts = split(tmp_path / "set", {"a": [1], "b": [0, 2]}, tmp_path / "parts")
    assert hashes(parts["a"]) == before[3:7]
    assert hashes(parts["b"]) == before[:3] + before[7:]
    assert json.loads((kept / "meta/info.json").read_text())["total_episodes"] == 2


def _cut_into_episodes(root, lengths):
    """Declare the only episode of a dataset to be several."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    path = root / "meta/episodes/chunk-000/file-000.parquet"
    (row,) = pq.read_table(path).to_pylist()
    stops = np.cumsum(lengths).tolist()
    rows = [
        row
        | {"episode_index": i, "length": n, "dataset_from_index": stop - n, "dataset_to_index": stop}
        | {f"videos/observation.images.cam/{side}_timestamp": t / 30 for side, t in (("from", stop - n), ("to", stop))}
        for i, (n, stop) in enumerate(zip(lengths, stops, strict=True))
    ]
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(path)), path)
    data = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(data)
    frames = np.concatenate([np.arange(n) for n in lengths])
    new = {
        "episode_index": np.repeat(range(len(lengths)), lengths),
        "frame_index": frames,
        "timestamp": (frames / 30).astype(np.float32),
    }
    for key, values in new.items():
        table = table.set_column(table.schema.get_field_index(key), key, pa.array(values))
    pq.write_table(table, data)
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"total_episodes": len(lengths)}))


def test_a_part_of_a_video_of_odd_size_decodes_to_the_same_images(tmp_path):
    """As the peer records it: AV1 with a colour for four pixels, which no lossless encoder here stores."""
    write(tmp_path / "whole.mp4", "libsvtav1", "yuv420p", {"g": "8", "preset": "12"}, size=(65, 67))
    whole, table = decode(tmp_path / "whole.mp4", is_depth=False)
    assert whole.shape[1:] == (65, 67, 3)
    encode_range(tmp_path / "whole.mp4", table, (3, 7), tmp_path / "new.mp4")
    anew, _ = decode(tmp_path / "new.mp4", is_depth=False)
    np.testing.assert_array_equal(anew, whole[3:7])
