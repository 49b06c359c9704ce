"""The house plan, enforced: who may import whom, what stays light, how large a room may grow."""

import ast
import re
import sys
import tomllib

import pytest
from source_tree import ROOT, Module, Package, modules, packages

FLOORS = {
    "lerobot-core": 0,
    "lerobot-datasets": 1,
    "lerobot-motors": 1,
    "lerobot-dynamixel": 2,
    "lerobot-feetech": 2,
    # Rollouts are recorded, so policies stand on datasets.
    "lerobot-policies": 2,
    # Evaluation runs policies, so environments stand on them.
    "lerobot-envs": 3,
    "lerobot-training": 4,
}
PLUGIN_FLOOR = 5

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


def floor(package: str) -> int:
    return FLOORS.get(package, PLUGIN_FLOOR)


def owner(imported: str) -> str | None:
    """The distribution that holds `lerobot.NAME...`, or None for anything else."""
    parts = imported.split(".")
    return f"lerobot-{parts[1].replace('_', '-')}" if parts[0] == "lerobot" and len(parts) > 1 else None


@every_package
def test_imports_point_down(package: Package) -> None:
    wrong = [
        f"{module.where}:{imported.line} imports {imported.module}"
        for module in package.modules
        for imported in module.imports
        if (other := owner(imported.module)) not in {None, package.name} and floor(other) >= floor(package.name)
    ]
    assert not wrong


@every_package
def test_a_distribution_holds_its_own_import_package_only(package: Package) -> None:
    allowed = f"lerobot.{package.name.removeprefix('lerobot-').replace('-', '_')}"
    entry = {"lerobot_cli"} if package.name == "lerobot-core" else set()
    strangers = {
        module.name
        for module in package.modules
        if not (module.name == allowed or module.name.startswith(f"{allowed}.") or module.name in entry)
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


def test_modules_and_functions_fit() -> None:
    too_long = [
        f"{module.where}: {module.text.count(chr(10))} lines" for module in modules() if module.text.count("\n") > 500
    ]
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > 100:
                    too_long.append(f"{module.where}:{node.lineno} {node.name}: {lines} lines")
    assert not too_long


@every_package
def test_no_import_cycle(package: Package) -> None:
    """Cycles between modules, counting only what runs when a module is imported."""
    names = {module.name for module in package.modules}
    graph = {
        module.name: {imported.module for imported in module.imports if not imported.deferred} & names - {module.name}
        for module in package.modules
    }
    # A package's __init__ hands on names of its modules, which may import their siblings through full names.
    graph = {name: {other for other in others if not name.startswith(f"{other}.")} for name, others in graph.items()}
    assert not list(cycles(graph))


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
            return
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, [*path, name])
        done.add(name)

    for name in graph:
        visit(name, [])
    return found


def test_a_cycle_would_be_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c", "a"]]


def test_nothing_is_printed_or_asked_outside_the_command_line() -> None:
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}:
                wrong.append(f"{module.where}:{node.lineno} calls {node.func.id}")
    assert not wrong


def test_nothing_reads_the_command_line_of_the_process() -> None:
    allowed = {"lerobot_cli", "lerobot.core.cli.app"}
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
    assert re.search(rf"pip install ['\"]?{package.name}\b", readme)
    assert (package.path / "LICENSE").exists()
    assert list((package.path / "tests").rglob("test_*.py"))


@every_package
def test_the_workspace_knows_every_package(package: Package) -> None:
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = {re.match(r"[\w-]+", requirement)[0] for requirement in root["dependency-groups"]["everything"]}
    assert package.name in required
    assert package.name in root["tool"]["uv"]["sources"]
    assert f"packages/{package.name}/src" in root["tool"]["mypy"]["mypy_path"]


@every_package
def test_every_command_is_a_script_too(package: Package) -> None:
    project = package.pyproject["project"]
    commands = project.get("entry-points", {}).get("lerobot.commands", {})
    scripts = dict(project.get("scripts", {}))
    scripts.pop("lerobot", None)
    assert scripts == {f"lerobot-{name}": "lerobot_cli:main" for name in commands}


def test_versions_are_in_lock_step() -> None:
    versions = {package.pyproject["project"]["version"] for package in packages()}
    assert len(versions) == 1
    pins = {
        requirement
        for package in packages()
        for requirement in package.pyproject["project"]["dependencies"]
        if requirement.startswith("lerobot-")
    }
    assert all(pin.endswith(f"=={next(iter(versions))}") for pin in pins)
