"""A byte order mark, as Windows editors write it, is no part of a JSON file."""

import json
import re
from pathlib import Path

import pytest

from lerobot.core.config.files import read_file
from lerobot.core.json_file import read_json

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("mark", [b"", MARK])
def test_a_file_is_read_with_and_without_its_mark(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(mark + json.dumps({"größe": [1, 2.5]}, ensure_ascii=False).encode())
    assert read_json(path) == {"größe": [1, 2.5]}


@pytest.mark.parametrize("mark", [b"", MARK])
@pytest.mark.parametrize("name", ["some.json", "some.yaml", "some.toml"])
def test_a_configuration_is_read_with_and_without_its_mark(tmp_path: Path, name: str, mark: bytes) -> None:
    path = tmp_path / name
    text = {"some.json": '{"fps": 5}', "some.yaml": "fps: 5", "some.toml": "fps = 5"}[name]
    path.write_bytes(mark + text.encode())
    assert list(read_file(str(path)).entries) == ["fps"]


def test_every_reader_of_json_is_this_one() -> None:
    packages = Path(__file__).parents[2]
    files = (*packages.glob("lerobot-*/src/**/*.py"),)
    own = re.compile(r"json\.loads\([^\n]*\.read_(text|bytes)\(")
    assert [path.name for path in files if own.search(path.read_text(encoding="utf-8"))] == ["json_file.py"]
