"""The site's navigation: where it begins, that nothing is missing, and that options fit a telephone."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from source_tree import ROOT

SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
PAGES = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}


def entries(nav: Any, title: str = "") -> Iterator[tuple[str, str]]:
    """Title and page of every entry, in order."""
    if isinstance(nav, str):
        yield title, nav
    elif isinstance(nav, dict):
        for name, inner in nav.items():
            yield from entries(inner, name)
    else:
        for inner in nav:
            yield from entries(inner, title)


def test_it_begins_with_installing_and_leaves_no_page_out() -> None:
    pages = [page for _, page in entries(SITE["nav"])]
    assert pages[0] == "installation.md"
    assert len(pages) == len(set(pages))
    assert set(pages) == PAGES
    assert "not_in_nav" not in SITE


def test_it_is_in_tabs_of_which_one_holds_the_commands() -> None:
    assert "navigation.tabs" in SITE["theme"]["features"]
    tabs = {name: inner for tab in SITE["nav"] for name, inner in tab.items()}
    assert all(isinstance(inner, list) for inner in tabs.values()), "a page of its own is no tab"
    assert len(tabs) < 9
    commands = {page for _, page in entries(tabs["Commands"])}
    assert commands == {page for page in PAGES if page.startswith("reference/commands/")}


def test_what_people_look_for_is_in_the_titles() -> None:
    titles = " ".join(title for title, _ in entries(SITE["nav"])).lower()
    headings = "\n".join(
        re.findall(r"^# .*", "\n".join(page.read_text() for page in (ROOT / "docs").rglob("*.md")), re.M)
    )
    for word in ("augmentation", "cameras", "gpus", "trackers", "troubleshooting", "lora"):
        assert word in titles
        assert word in headings.lower() or word == "lora"


def test_every_table_of_options_is_marked_for_narrow_screens() -> None:
    assert SITE["extra_css"] == ["stylesheets/options.css"]
    assert "md_in_html" in SITE["markdown_extensions"]
    for page in [*(ROOT / "docs/reference/commands").glob("*.md"), *(ROOT / "docs/reference/plugins").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        tables = len(re.findall(r"^\| (flag|field) \| takes", text, re.MULTILINE))
        assert tables == text.count('<div class="options" markdown>\n\n|'), page.name
