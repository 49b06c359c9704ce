"""Video as one message a frame: written with PyAV's encoder, compared with its decoder over the whole film."""

import logging
from fractions import Fraction

import av
import mcap.writer
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from lerobot.core.errors import DatasetError
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.inspection.proposal import propose
from lerobot.mcap.inspection.survey import survey
from lerobot.mcap.log.log import Log

T0 = 1_700_000_000 * 10**9
ENCODERS = {
    "h264": ("libx264", {"bf": "0", "g": "5", "sc_threshold": "0", "tune": "zerolatency"}),
    "h265": ("libx265", {}),
}


def film(form):
    """Packets of a film with a key frame every five frames, and its images as a decoder of the whole gives them."""
    name, options = ENCODERS[form]
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base = Fraction(1, 10)
    quiet = {"x265-params": "keyint=5:min-keyint=5:bframes=0:log-level=none:repeat-headers=1:pools=1:frame-threads=1"}
    encoder.options = options or {**quiet, "tune": "zerolatency"}
    packets = []
    for i in range(12):
        image = np.full((48, 64, 3), 20 * i, np.uint8)
        image[:, 4 * i : 4 * i + 8] = (255, 0, 0)
        packets += [bytes(packet) for packet in encoder.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    decoder = av.CodecContext.create({"h264": "h264", "h265": "hevc"}[form], "r")
    images = [f.to_ndarray(format="rgb24") for data in packets for f in decoder.decode(av.Packet(data))]
    images += [f.to_ndarray(format="rgb24") for f in decoder.decode(None)]
    assert len(packets) == len(images) == 12
    return packets, images


def compressed_video():
    """The message type of Foxglove, and the set of files that describes it."""
    file = descriptor_pb2.FileDescriptorProto(
        name="foxglove/CompressedVideo.proto", package="foxglove", syntax="proto3"
    )
    file.dependency.append("google/protobuf/timestamp.proto")
    kind = file.message_type.add(name="CompressedVideo")
    kind.field.add(name="timestamp", number=1, type=11, label=1, type_name=".google.protobuf.Timestamp")
    kind.field.add(name="frame_id", number=2, type=9, label=1)
    kind.field.add(name="data", number=3, type=12, label=1)
    kind.field.add(name="format", number=4, type=9, label=1)
    files = descriptor_pb2.FileDescriptorSet()
    timestamp_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.append(file)
    pool = descriptor_pool.DescriptorPool()
    for each in files.file:
        pool.Add(each)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("foxglove.CompressedVideo")), files


def write(path, packets, form):
    message_class, files = compressed_video()
    with path.open("wb") as stream:
        writer = mcap.writer.Writer(stream)
        writer.start()
        schema = writer.register_schema("foxglove.CompressedVideo", "protobuf", files.SerializeToString())
        channel = writer.register_channel("/front/video", "protobuf", schema)
        for i, data in enumerate(packets):
            message = message_class(data=data, format=form, frame_id="front")
            message.timestamp.FromNanoseconds(T0 + i * 10**8)
            writer.add_message(channel, T0 + i * 10**8 + 5, message.SerializeToString(), T0 + i * 10**8)
        writer.finish()


def contract(**changes):
    stream = {"topic": "/front/video", "clock": "header", "align": "nearest", "tolerance_ms": 10, **changes}
    features = {"observation.images.front": [{"stream": "front"}]}
    return Contract.model_validate(
        {"fps": 10, "task": "t", "on_gap": "cut", "streams": {"front": stream}, "features": features}
    )


def images_of(path, **changes):
    source = McapConfig(path=path, contract=contract(**changes)).build()
    try:
        return [row["front"].copy() for row in source.frames(0, ["front"])]
    finally:
        source.close()


@pytest.mark.parametrize("form", ["h264", "h265"])
def test_every_image_is_the_one_of_its_message(tmp_path, form):
    packets, expected = film(form)
    write(tmp_path / "a.mcap", packets, form)
    found = images_of(tmp_path / "a.mcap")
    assert len(found) == 12
    np.testing.assert_array_equal(np.stack(found), np.stack(expected))


def test_frames_before_the_first_key_frame_are_left_out_and_said(tmp_path, caplog):
    packets, expected = film("h264")
    write(tmp_path / "a.mcap", packets[2:], "h264")
    for clock in ("header", "log"):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = images_of(tmp_path / "a.mcap", clock=clock)
        np.testing.assert_array_equal(np.stack(found), np.stack(expected[5:]))
        assert "/front/video: 3 images left out: no key frame comes before" in caplog.text


def test_a_damaged_frame_names_its_message(tmp_path):
    packets, _ = film("h264")
    packets[7] = packets[7][:4]
    write(tmp_path / "a.mcap", packets, "h264")
    with pytest.raises(DatasetError, match=r"message 7 of /front/video, of 1700000000\.7\d* s, cannot be read"):
        images_of(tmp_path / "a.mcap")


def test_it_is_proposed_as_a_camera(tmp_path):
    write(tmp_path / "a.mcap", film("h264")[0], "h264")
    proposed = propose(survey([Log(tmp_path / "a.mcap")]))
    assert 'front: {topic: "/front/video", type: "foxglove.CompressedVideo", clock: header' in proposed
