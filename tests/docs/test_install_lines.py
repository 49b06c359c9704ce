"""No install line names a package that we do not own, and what a page's lines install runs its commands.

Nothing of ours is on a package index, where anybody may register names: our packages are installed by folder or file.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import ROOT, packages

DOCS = ROOT / "docs"
SUFFIXES = {".md", ".py", ".sh", ".toml", ".yml"}
# Templates install the author's own package; tests hold made-up ones.
LEFT_OUT = {"templates", "tests", "site", "dist", "build"}
LINE = re.compile(r"(?:\bpip\d? install|\buv add|\buv tool install|\buvx|\bpipx (?:install|run))\b([^\n`#|;&(]*)")
PLANNED = re.compile(r"<!-- once published -->\n```text\n.*?```", re.DOTALL)
PROJECTS = {package.name: package.pyproject for package in packages()}


def texts() -> Iterator[tuple[Path, str]]:
    places = [ROOT / name for name in ("changelog.d", "docs", "packages")]
    paths = [*ROOT.iterdir(), *(path for place in places for path in place.rglob("*"))]
    for path in sorted(paths):
        if path.suffix in SUFFIXES and not LEFT_OUT & {*path.relative_to(ROOT).parts}:
            yield path, path.read_text(encoding="utf-8")


def installed_by_name(arguments: str) -> Iterator[str]:
    """The names a line would ask an index for; folders, files, options and what a program fills in are none."""
    words = [word.strip("\"'().,:") for word in arguments.split()]
    for before, word in zip(["", *words], words, strict=False):
        by_name = re.fullmatch(r"[a-z0-9][\w.-]*(\[[\w,-]+\])?([<>=~!]=?\S*)?", word)
        if by_name and before not in {"-e", "--editable"}:
            yield re.split(r"[\[<>=~!]", word)[0]


def third_party() -> set[str]:
    """What our own lock file fetches from the index, the peer and Daft, which their users have, and uv."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return {package["name"] for package in locked if "registry" in package["source"]} | {"daft", "lerobot", "uv"}


def test_a_name_is_told_from_a_folder() -> None:
    named = list(
        installed_by_name(" lerobot-act './packages/lerobot-sim[x]' -e lerobot-my-arm 'lerobot-x[y]' torch>=2 -q")
    )
    assert named == ["lerobot-act", "lerobot-x", "torch"]


def test_no_install_line_names_what_is_not_ours() -> None:
    known = third_party()
    assert not known & set(PROJECTS)
    lines = [(path, line[1]) for path, text in texts() for line in LINE.finditer(PLANNED.sub("", text))]
    assert len(lines) > 60
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, line in lines
        for name in installed_by_name(line)
        if name not in known
    ]
    assert not wrong


def test_only_the_page_about_installing_says_how_it_will_be() -> None:
    planned = [path for path, text in texts() if PLANNED.search(text)]
    assert planned == [DOCS / "installation.md"]
    before = planned[0].read_text(encoding="utf-8").partition("<!-- once published -->")[0].rstrip()
    assert "do **not** work yet" in before.rpartition("\n\n")[2]


def test_every_folder_and_extra_of_an_install_line_exists() -> None:
    wrong = []
    for path, text in texts():
        for name, extras in re.findall(r"\./packages/(lerobot-[a-z0-9-]+)(?:\[([\w,]+)\])?", text):
            known = PROJECTS.get(name, {}).get("project", {}).get("optional-dependencies", {})
            if name not in PROJECTS or not set(filter(None, extras.split(","))) <= set(known):
                wrong.append(f"{path.relative_to(ROOT)}: {name}[{extras}]")
    assert not wrong


def with_what_they_need(names: set[str]) -> set[str]:
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        if (name := wanted.pop()) in PROJECTS and name not in found:
            found.add(name)
            wanted += [re.match(r"[\w-]+", need)[0] for need in PROJECTS[name]["project"]["dependencies"]]
    return found


def test_lines_for_pip_name_everything_of_ours_that_is_needed() -> None:
    """pip asks an index for what a line leaves out."""
    text = (DOCS / "installation.md").read_text(encoding="utf-8")
    lines = [set(names.split(",")) for names in re.findall(r"lerobot[-_]\{([\w,]+)\}", text)]
    assert len(lines) > 3
    for names in lines:
        ours = {f"lerobot-{name.replace('_', '-')}" for name in names}
        assert with_what_they_need(ours) == ours


PAGES = {
    str(page.relative_to(DOCS)): text
    for page in sorted(DOCS.rglob("*.md"))
    if "./packages/" in (text := page.read_text(encoding="utf-8"))
    and page.name not in {"installation.md", "plugins.md"}
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_installs_runs_its_commands(page: str) -> None:
    """Choices count too: `--robot.type=so101_follower` needs the package that registers it."""
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", PAGES[page], re.DOTALL))
    installed = with_what_they_need(set(re.findall(r"\./packages/(lerobot-[a-z0-9-]+)", PAGES[page])))
    points = {group: set() for group in ("commands", "robots", "teleoperators", "cameras", "policies", "envs")}
    for name in installed:
        for group, names in PROJECTS[name]["project"].get("entry-points", {}).items():
            points.setdefault(group.removeprefix("lerobot."), set()).update(names)
    missing = set(re.findall(r"^lerobot ([a-z-]+)", blocks, re.MULTILINE)) - points["commands"]
    own = set(re.findall(r"lerobot new \w+ ([\w-]+)", blocks))
    for flag, group in (("robot", "robots"), ("teleop", "teleoperators"), ("policy", "policies"), ("env", "envs")):
        chosen = set(re.findall(rf"--{flag}\.type=(\w+)", blocks))
        missing |= {name for name in chosen - points[group] if name.replace("_", "-") not in own}
    assert not missing, f"{page} installs {sorted(installed)}"
