"""A zarr store in a zip file that is open already, wherever it is; zarr's own takes paths only."""

import zipfile
from collections.abc import AsyncIterator, Iterable

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype


class ZippedStore(Store):
    """Read-only; see `zarr.abc.store.Store`.

    Args:
        archive: the open archive; whoever opened it closes it.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(read_only=True)
        self._archive = archive
        self._names = frozenset(archive.namelist())

    def __eq__(self, other: object) -> bool:
        """Whether it is a store in the same archive."""
        return isinstance(other, ZippedStore) and other._archive is self._archive

    __hash__ = object.__hash__

    def read(self, key: str) -> bytes:
        """A whole member; empty if there is none."""
        return self._archive.read(key) if key in self._names else b""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders in a folder such as `data/`."""
        below = [name.removeprefix(prefix).split("/") for name in self._names if name.startswith(prefix)]
        return sorted({parts[0] for parts in below if len(parts) > 1})

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """See `Store.get`."""
        if key not in self._names:
            return None
        content = self._archive.read(key)
        if isinstance(byte_range, RangeByteRequest):
            content = content[byte_range.start : byte_range.end]
        elif isinstance(byte_range, OffsetByteRequest):
            content = content[byte_range.offset :]
        elif isinstance(byte_range, SuffixByteRequest):
            content = content[-byte_range.suffix :]
        return prototype.buffer.from_bytes(content)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """See `Store.get_partial_values`."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        return key in self._names

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Refuse."""
        raise NotImplementedError

    async def list(self) -> AsyncIterator[str]:
        """See `Store.list`."""
        for name in self._names:
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """See `Store.list_prefix`."""
        for name in self._names:
            if name.startswith(prefix):
                yield name

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """See `Store.list_dir`."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        for name in {name.removeprefix(folder).partition("/")[0] for name in self._names if name.startswith(folder)}:
            yield name
