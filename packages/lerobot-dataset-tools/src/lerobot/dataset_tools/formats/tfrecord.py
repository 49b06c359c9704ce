"""TFRecord files and the `tf.train.Example` messages in them, without TensorFlow.

Source:
    https://www.tensorflow.org/tutorials/load_data/tfrecord ("TFRecords format details"): per record a length, its
    checksum, the data, its checksum; CRC-32C, masked. Field numbers from example.proto and feature.proto in
    tensorflow/core/example.
"""

import io
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import SourceFile, library, reading

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8


class RecordFile:
    """The records of a file, found one after the other from their lengths; the file is open until `close`.

    Args:
        file: the file.

    Raises:
        DatasetError: it cannot be opened.
    """

    def __init__(self, file: SourceFile) -> None:
        self._name = file.name
        with reading(file.name):
            self._file = file.open()
            self._size = self._file.seek(0, io.SEEK_END)
        self._starts: list[tuple[int, int]] = []
        self._next = 0

    def count(self) -> int:
        """Number of all records, from their lengths alone.

        Raises:
            DatasetError: the file is truncated, damaged, compressed, or no TFRecord file.
        """
        while self._find():
            pass
        return len(self._starts)

    def has(self, number: int) -> bool:
        """Whether there is a record of this number; see `count`."""
        while len(self._starts) <= number:
            if not self._find():
                return False
        return True

    def read(self, number: int) -> bytes:
        """Read the data of a record that the file has.

        Raises:
            DatasetError: the data is not what was written; see also `count`.
        """
        if not self.has(number):
            raise DatasetError(f"{self._name} has {len(self._starts)} records, none is number {number}")
        start, length = self._starts[number]
        with reading(self._name):
            self._file.seek(start)
            data = self._file.read(length)
            checksum = self._file.read(_CHECKSUM.size)
        if len(checksum) < _CHECKSUM.size or _CHECKSUM.unpack(checksum)[0] != masked_crc(data):
            raise DatasetError(f"{self._name}: the record at byte {start} is damaged: its checksum differs")
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _find(self) -> bool:
        """Find the next record; False at the end of the file."""
        position = self._next
        if position >= self._size:
            return False
        with reading(self._name):
            self._file.seek(position)
            header = self._file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise self._truncated(position)
        length, checksum = _HEADER.unpack(header)
        if checksum != masked_crc(header[:8]):
            raise DatasetError(
                f"{self._name}: no record begins at byte {position}",
                expected="an undamaged, uncompressed TFRecord file",
            )
        start = position + _HEADER.size
        self._next = start + length + _CHECKSUM.size
        if self._next > self._size:
            raise self._truncated(self._next)
        self._starts.append((start, length))
        return True

    def _truncated(self, position: int) -> DatasetError:
        return DatasetError(
            f"{self._name} ends inside a record", expected=f"at least {position} bytes", hint="copy it again"
        )


def masked_crc(data: bytes) -> int:
    """The checksum of a TFRecord: CRC-32C, rotated and shifted so that checksums of checksums are sound."""
    crc = int(library("google_crc32c", "rlds").value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def parse_example(data: bytes, where: str) -> Mapping[str, Any]:
    """Read the features of a `tf.train.Example`.

    Args:
        data: the message.
        where: which record, for messages.

    Returns:
        Per feature a sequence of bytes, floats or integers.

    Raises:
        DatasetError: the data is no such message.
    """
    message = _example_class()()
    error_class = library("google.protobuf.message", "rlds").DecodeError
    try:
        message.ParseFromString(data)
    except error_class as error:
        raise DatasetError(f"{where} is no tf.train.Example: {error}") from error
    features = message.features.feature
    return {
        name: getattr(feature, kind).value if (kind := feature.WhichOneof("kind")) else ()
        for name, feature in features.items()
    }


@cache
def _example_class() -> Any:
    """Class of the message, from its published description."""
    descriptor_pb2 = library("google.protobuf.descriptor_pb2", "rlds")
    kinds = {"BytesList": ("bytes_list", "TYPE_BYTES"), "FloatList": ("float_list", "TYPE_FLOAT")}
    kinds["Int64List"] = ("int64_list", "TYPE_INT64")
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def add(message: Any, name: str, number: int, kind: str, type_name: str = "", *, repeated: bool = False) -> Any:
        label = field_type.LABEL_REPEATED if repeated else field_type.LABEL_OPTIONAL
        return message.field.add(
            name=name, number=number, label=label, type=field_type.Type.Value(kind), type_name=type_name or None
        )

    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, (field, kind)) in enumerate(kinds.items(), 1):
        add(file.message_type.add(name=name), "value", 1, kind, repeated=True)
        add(feature, field, number, "TYPE_MESSAGE", f".tensorflow.{name}").oneof_index = 0
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    add(entry, "key", 1, "TYPE_STRING")
    add(entry, "value", 2, "TYPE_MESSAGE", ".tensorflow.Feature")
    add(features, "feature", 1, "TYPE_MESSAGE", ".tensorflow.Features.FeatureEntry", repeated=True)
    add(file.message_type.add(name="Example"), "features", 1, "TYPE_MESSAGE", ".tensorflow.Features")
    # A pool of its own: TensorFlow, where it is installed, has these messages in the common one.
    pool = library("google.protobuf.descriptor_pool", "rlds").DescriptorPool()
    pool.Add(file)
    factory = library("google.protobuf.message_factory", "rlds")
    return factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))
