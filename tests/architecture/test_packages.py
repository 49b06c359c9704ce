"""The house plan, enforced: what every package looks like, what stays light, what nothing may do."""

import ast
import re
import sys
import tomllib

import pytest
from source_tree import ROOT, Module, Package, modules, packages, requirements

CORE_THIRD_PARTY = {
    "cookiecutter",  # extra `new`, deferred
    "importlib_metadata",
    "numpy",  # extra `cameras`, deferred
    "pluggy",
    "pydantic",
    "pydantic_core",
    "pytest",  # testing only
    "rerun",  # the display, deferred
    "rich",
    "safetensors",
    "typer",
    "yaml",
}
HEAVY = {"torch", "cv2", "pyarrow", "av", "datasets", "mujoco", "gymnasium", "transformers", "serial", "numpy"}

every_package = pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
every_package_of_modules = pytest.mark.parametrize(
    "package", [package for package in packages() if not package.bundle], ids=lambda package: package.name
)
every_bundle = pytest.mark.parametrize(
    "package", [package for package in packages() if package.bundle], ids=lambda package: package.name
)


@every_package_of_modules
def test_a_distribution_holds_its_own_import_package_only(package: Package) -> None:
    allowed = f"lerobot.{package.name.removeprefix('lerobot-').replace('-', '_')}"
    entry = {{"lerobot-core": "lerobot_cli", "lerobot-compat": "lerobot_compat"}.get(package.name)}
    strangers = {
        module.name
        for module in package.modules
        if not (
            module.name == allowed or module.name.startswith(f"{allowed}.") or module.name.partition(".")[0] in entry
        )
    }
    assert not strangers
    assert not (package.path / "src" / "lerobot" / "__init__.py").exists()
    assert (package.path / "src" / "lerobot" / allowed.split(".")[1] / "py.typed").exists()


def test_core_needs_no_more_than_its_list() -> None:
    wrong = []
    for module in modules():
        if module.package.name != "lerobot-core":
            continue
        for imported in module.imports:
            top = imported.module.partition(".")[0]
            known = top in sys.stdlib_module_names or top in {"lerobot", "lerobot_cli"} or top in CORE_THIRD_PARTY
            light = top not in HEAVY or imported.deferred or ".fake." in module.name or ".testing" in module.name
            if not known or not light:
                wrong.append(f"{module.where}:{imported.line} imports {imported.module}")
    assert not wrong


def is_light(module: Module) -> bool:
    last = module.name.rpartition(".")[2]
    return last == "config" or ".commands." in f"{module.name}." or last == "commands"


def test_config_and_command_modules_are_light() -> None:
    wrong = [
        f"{module.where}:{imported.line} imports {imported.module}"
        for module in modules()
        if is_light(module)
        for imported in module.imports
        if imported.module.partition(".")[0] in HEAVY and not imported.deferred
    ]
    assert not wrong


def test_nothing_is_printed_or_asked_outside_the_command_line() -> None:
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}:
                wrong.append(f"{module.where}:{node.lineno} calls {node.func.id}")
    assert not wrong


def test_nothing_reads_the_command_line_of_the_process() -> None:
    programs = {"lerobot.jobs.process", "lerobot.slurm.stand_in"}
    allowed = {"lerobot_cli", "lerobot.core.cli.app", "lerobot.compat.parser"} | programs
    wrong = [module.where for module in modules() if "sys.argv" in module.text and module.name not in allowed]
    assert not wrong


@every_package
def test_every_package_has_the_same_shape(package: Package) -> None:
    project = package.pyproject["project"]
    assert project["name"] == package.name
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == ">=3.11"
    assert project["description"].endswith(".")
    assert set(project["urls"]) == {"Documentation", "Source"}
    assert "tool" not in package.pyproject or set(package.pyproject["tool"]) <= {"uv"}
    readme = (package.path / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"pip install ['\"]?\./packages/{package.name}\b", readme)
    assert (package.path / "LICENSE").exists()
    assert package.bundle or list((package.path / "tests").rglob("test_*.py"))


@every_bundle
def test_a_bundle_requires_packages_that_are_here_and_nothing_else(package: Package) -> None:
    here, required = {each.name for each in packages() if not each.bundle}, set(requirements(package, extras=True))
    assert len(required) > 1
    assert required <= here
    assert package.pyproject["tool"]["uv"]["build-backend"] == {"module-name": []}
    readme = (package.path / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(lerobot-[\w-]+)` \|$", readme, re.MULTILINE)) == set(
        requirements(package, extras=True)
    )


@every_package
def test_the_workspace_knows_every_package(package: Package) -> None:
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = {re.match(r"[\w-]+", requirement)[0] for requirement in root["dependency-groups"]["everything"]}
    assert package.name in required
    assert package.name in root["tool"]["uv"]["sources"]
    assert package.bundle or f"packages/{package.name}/src" in root["tool"]["mypy"]["mypy_path"]


@every_package
def test_every_command_is_a_script_too(package: Package) -> None:
    project = package.pyproject["project"]
    commands = project.get("entry-points", {}).get("lerobot.commands", {})
    scripts = dict(project.get("scripts", {}))
    scripts.pop("lerobot", None)
    assert scripts == {f"lerobot-{name}": "lerobot_cli:main" for name in commands}


def test_the_function_of_a_command_stands_in_the_command_module_of_its_topic() -> None:
    """`TOPIC.command:NAME`, or `NAME_command` where a function of the library, or of Python, has the name."""
    wrong = {}
    for module in modules():
        topic, _, name = module.name.rpartition(".commands.")
        target = re.search(r'^    target: ClassVar\[str\] = "([^"]+)"', module.text, re.MULTILINE) if topic else None
        if target and not re.fullmatch(rf"{topic}\.([\w.]+\.)?command:{name}(_command)?", target[1]):
            wrong[name] = target[1]
    assert not wrong


def test_only_a_gated_robot_sends_commands() -> None:
    """Whoever drives motors drives them through the gate; a robot made of robots hands on what it was sent."""
    wrong = []
    for module in modules():
        if module.name == "lerobot.core.safety.gated_robot" or module.name.startswith("lerobot.core.testing."):
            continue
        robots = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef) and node.name == SEND]
        handed_on = {call for robot in robots for call in ast.walk(robot)}
        wrong += [
            f"{module.where}:{node.lineno} calls {SEND}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == SEND
            if node not in handed_on
        ]
    assert not wrong


SEND = "send_action"


def test_what_the_readme_runs_is_installed_by_its_first_command() -> None:
    """`./run lerobot` leaves out the groups of the workspace, so its commands come from what the root requires."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    projects = {package.name: package.pyproject["project"] for package in packages()}
    installed: set[str] = set()
    wanted = [re.match(r"[\w-]+", requirement)[0] for requirement in root["project"]["dependencies"]]
    while wanted:
        if (name := wanted.pop()) in projects and name not in installed:
            installed.add(name)
            wanted += [re.match(r"[\w-]+", requirement)[0] for requirement in projects[name]["dependencies"]]
    commands = {
        command for name in installed for command in projects[name].get("entry-points", {}).get("lerobot.commands", {})
    }
    run = set(re.findall(r"^\./run lerobot ([\w-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"quickstart", "rollout"} <= run <= commands
