"""Tensors in parts, as several processes write them: read as a whole, and refused by name when anything is wrong."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.files import INDEX
from lerobot.policies.checkpoint.shards import described, load_shards, save_shards, write_index


def expected() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    weight, few = torch.randn(5, 3, generator=generator), torch.randn(4, generator=generator).to(torch.bfloat16)
    return {"weight": weight, "few": few, "step": torch.tensor(7.0)}


def part(path: Path, tensors: dict[str, torch.Tensor], offsets: dict[str, list[int]]) -> None:
    """Write a part as the format has it: https://docs.pytorch.org/docs/stable/distributed.checkpoint.html."""
    places = {name: {"saved_offsets": offsets.get(name, [0] * tensor.ndim)} for name, tensor in tensors.items()}
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"DCP_SHARDING_INFO": json.dumps(places)}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What two processes wrote: rows of one tensor each, one the first alone, the last also what both have."""
    whole = expected()
    part(tmp_path / "a.safetensors", {"weight": whole["weight"][:3], "few": whole["few"][:2]}, {})
    second = {"weight": whole["weight"][3:], "few": whole["few"][2:], "step": whole["step"]}
    part(tmp_path / "b.safetensors", second, {"weight": [3, 0], "few": [2]})
    write_index(whole, tmp_path)
    return tmp_path


def test_parts_are_read_as_a_whole(folder: Path) -> None:
    whole = {name: torch.zeros_like(tensor) for name, tensor in expected().items()}
    load_shards(whole, folder)
    assert all(torch.equal(tensor, expected()[name]) for name, tensor in whole.items())
    assert {name: (each.shape, each.dtype, each.device.type) for name, each in described(folder).items()} == {
        name: (each.shape, each.dtype, "meta") for name, each in expected().items()
    }


def test_one_process_writes_what_it_reads(tmp_path: Path) -> None:
    save_shards(expected(), tmp_path / "parts")
    write_index(expected(), tmp_path / "parts")
    read = {name: torch.zeros_like(tensor) for name, tensor in expected().items()}
    load_shards(read, tmp_path / "parts")
    assert all(torch.equal(tensor, expected()[name]) for name, tensor in read.items())


def test_what_is_wrong_is_refused_by_file(folder: Path) -> None:
    def refused(match: str) -> None:
        with pytest.raises(CheckpointError, match=match):
            load_shards({"weight": torch.zeros(5, 3)}, folder)

    second = folder / "b.safetensors"
    content, index = second.read_bytes(), (folder / INDEX).read_text()
    second.write_bytes(content[:-1])
    refused(r"b\.safetensors has \d+ bytes")
    second.unlink()
    refused(r"b\.safetensors is missing")
    second.write_bytes(content)
    (folder / "c.safetensors").write_bytes(content)
    refused(r"c\.safetensors does not belong to")
    (folder / "c.safetensors").unlink()
    (folder / INDEX).write_text(index.replace('"shape": [\n    5,', '"shape": [\n    6,').replace("   5,\n", "   6,\n"))
    refused("the parts of weight are not the whole of it")
    (folder / INDEX).write_text(index[:-9])
    refused(f"{INDEX} cannot be read")
    (folder / INDEX).unlink()
    refused(f"{INDEX} does not exist")


def test_other_tensors_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="lacks bias"):
        load_shards({"bias": torch.zeros(3)}, folder)
    with pytest.raises(CheckpointError, match=r"weight \(5, 3\)"):
        load_shards({"weight": torch.zeros(5, 4)}, folder)
