import tomllib

from source_tree import packages
from write_version import needed, rewritten


def test_packages_need_each_other_from_this_release_to_the_next_large_one() -> None:
    assert needed("0.1.0") == ">=0.1,<1"
    assert needed("0.2.3") == ">=0.2,<1"
    assert needed("3.4.0rc1") == ">=3.4,<4"


def test_a_new_version_reaches_every_package_and_range() -> None:
    for package in packages():
        text = (package.path / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(rewritten(text, "7.8.9"))["project"]
        assert project["version"] == "7.8.9"
        extras = [need for needs in project.get("optional-dependencies", {}).values() for need in needs]
        ranges = [need for need in [*project["dependencies"], *extras] if need.startswith("lerobot-")]
        assert all(need.endswith(">=7.8,<8") for need in ranges), ranges
        before = tomllib.loads(text)["project"]
        others = [need for need in before["dependencies"] if not need.startswith("lerobot-")]
        assert [need for need in project["dependencies"] if not need.startswith("lerobot-")] == others
