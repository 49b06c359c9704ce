"""Write which public names of huggingface/lerobot import here, and what to use for the others.

`nox -s compat` runs it; LEROBOT_PEER_PYTHON is the interpreter of an environment that has huggingface/lerobot. With
`--check` the page is compared and not written.
"""

import json
import os
import subprocess
import sys
import warnings
from collections import defaultdict
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/names-of-lerobot.md"
HEADER = """\
<!-- Written by `nox -s compat` from huggingface/lerobot {version}; edits here are lost. -->

# Names of huggingface/lerobot

What `lerobot-compat` makes of every public name of huggingface/lerobot {version}, with every package of this repository
installed. A name that is not here answers with the line in the last column.

**{there} of {total} names import, {late} of the others belong to something that is not here yet.** Counted are the
classes, functions and constants that a module defines and that a package hands on; the inner parts of one policy, robot
or environment are most of what has no counterpart.

| package | names | import | not here yet | use something else |
|---|---|---|---|---|
"""
LATER = ("not here yet", "no teleoperator is named", "no policy is named", "no env is named")


def said(module: str, name: str) -> str:
    """What Python says to an import; empty if it works."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(f"from {module} import {name}", {})
    except ImportError as error:
        return reason(" ".join(str(error).split()))
    return ""


def reason(text: str) -> str:
    """The part of a line that is the same for every name it is said of."""
    if text.startswith(("cannot import name", "No module named")):
        return "Python's own line: the module of this path is ours, and something else."
    return text.partition(" has no counterpart here: ")[2] or text


def peer() -> tuple[str, dict[str, list[str]]]:
    """Version and names of the other side."""
    python = os.environ["LEROBOT_PEER_PYTHON"]
    asked = [python, "-c", "import importlib.metadata as m; print(m.version('lerobot'))"]
    version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    listed = subprocess.run(
        [python, str(Path(__file__).with_name("peer_names.py"))], check=True, capture_output=True, text=True
    ).stdout
    return version, json.loads(listed)


def page(version: str, listed: dict[str, list[str]]) -> str:
    """The page."""
    sides = {module: {name: said(module, name) for name in names} for module, names in listed.items()}
    tops: dict[str, list[str]] = defaultdict(list)
    for module in sides:
        tops[module.split(".")[1] if "." in module else module].append(module)
    every = [text for names in sides.values() for text in names.values()]
    late = [text for text in every if any(part in text for part in LATER)]
    lines = [
        HEADER.format(version=version, there=every.count(""), total=len(every), late=len(late)).rstrip("\n"),
        *(
            counts(top, [text for module in modules for text in sides[module].values()])
            for top, modules in tops.items()
        ),
    ]
    for top, modules in tops.items():
        if rows := [row for module in modules for row in missing(module, sides[module])]:
            lines += ["", f"## lerobot.{top}", "", "| module | not here | what is said |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def counts(top: str, texts: list[str]) -> str:
    later = sum(any(part in text for part in LATER) for text in texts)
    there = texts.count("")
    return f"| `lerobot.{top}` | {len(texts)} | {there} | {later} | {len(texts) - there - later} |"


def missing(module: str, names: dict[str, str]) -> list[str]:
    """One row per reason; `all` where nothing of a module is here."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, text in names.items():
        if text:
            grouped[text].append(name)
    rows = []
    for text, group in grouped.items():
        which = "all" if len(group) == len(names) else ", ".join(f"`{name}`" for name in group)
        rows.append(f"| `{module}` | {which} | {text} |")
    return rows


def main(arguments: list[str]) -> int:
    import_module("lerobot.compat")
    version, listed = peer()
    text = page(version, listed)
    sys.stdout.write(text.partition("| package")[0].rpartition("**")[0].rpartition("**")[2] + "\n")
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text("utf-8") == text
        sys.stdout.write("" if same else f"{PAGE.relative_to(ROOT)} is out of date: nox -s compat\n")
        return int(not same)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
