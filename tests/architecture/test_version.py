import tomllib

from source_tree import packages
from write_version import rewritten


def test_a_new_version_reaches_every_package_and_pin() -> None:
    for package in packages():
        text = (package.path / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(rewritten(text, "7.8.9"))["project"]
        assert project["version"] == "7.8.9"
        extras = [need for needs in project.get("optional-dependencies", {}).values() for need in needs]
        pins = [need for need in [*project["dependencies"], *extras] if need.startswith("lerobot-")]
        assert all(pin.endswith("==7.8.9") for pin in pins), pins
        before = tomllib.loads(text)["project"]
        others = [need for need in before["dependencies"] if not need.startswith("lerobot-")]
        assert [need for need in project["dependencies"] if not need.startswith("lerobot-")] == others
