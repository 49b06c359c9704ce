"""Files with a secret in them."""

import secrets
from pathlib import Path

from lerobot.core.durable import make_folder


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole by one that only this user can read, at no moment otherwise."""
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        aside.touch(mode=0o600, exist_ok=False)
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
