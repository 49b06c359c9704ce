"""What runs when Python starts: a finder behind all others, which waits for names of huggingface/lerobot.

A line of `lerobot_compat_start.pth` installs it. Nothing else is imported before somebody asks for a name below
`lerobot` that no other finder knows; so it can hide no module of ours, and costs programs that ask for none of them
one small file.
"""

import sys

TYPE_CHECKING = False
"""Read by type checkers as true; the module `typing` alone would cost forty times what this file does."""

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


class Finder:
    """Answers for modules of huggingface/lerobot that are not modules of ours."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """See `importlib.abc.MetaPathFinder`."""
        del path, target
        if not name.startswith("lerobot."):
            return None
        # A regular package of this name is huggingface/lerobot itself, whose names are its own.
        if getattr(sys.modules.get("lerobot"), "__file__", None):
            return None
        from lerobot.compat.imports import find

        return find(name)


def install() -> None:
    """Put the finder behind all others; once."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
