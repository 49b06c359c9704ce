"""Every plugin template: baked, looked at, installed and used in every command that takes its kind.

All packages are baked once and installed once, into an environment that sees the packages of the one that runs the
tests, so that nothing is downloaded. Its folder is then added to this process, where the commands run.
"""

import json
import logging
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lerobot.core.cli.app import main
from lerobot.core.commands.new import NewConfig
from lerobot.core.template.command import new
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("robot", "teleoperator", "camera", "policy", "env", "processor")
NAMES = {kind: "my-arm" if kind == "robot" else f"my-{kind}" for kind in KINDS}
SAME_IN_ALL = (".github/workflows/test.yml", ".gitignore", "LICENSE", "tests/test_package.{{ 'py' }}")
COMMON = {
    ".github/workflows/test.yml",
    ".gitignore",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "src/{package}/__init__.py",
    "src/{package}/config.py",
    "src/{package}/py.typed",
    "src/{package}/{kind}.py",
    "tests/test_package.py",
    "tests/test_{kind}.py",
}
WITH_BUS = {"robot", "teleoperator"}


def bake(folder: Path, kind: str, name: str, **fields: str) -> Path:
    new(NewConfig(plugin=kind, name=name, output_dir=folder, **fields), ScriptedPrompter())
    return folder / f"lerobot-{name}"


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes by path of what was baked, without what tools leave beside it."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in files.items()
        if not any(part in name for part in ("__pycache__", ".egg-info", "_cache/"))
    }


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One package of each kind, as `lerobot new KIND my-KIND` writes it; the robot is `my-arm`."""
    folder = tmp_path_factory.mktemp("baked")
    return {kind: bake(folder, kind, name) for kind, name in NAMES.items()}


@pytest.fixture(scope="session")
def python(baked: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment in which all of them are installed editable."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run("uv", "venv", "-q", "--python", sys.executable, folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    editable = [option for path in baked.values() for option in ("-e", str(path))]
    run("uv", "pip", "install", "-q", "--no-deps", "--offline", *editable, VIRTUAL_ENV=str(folder))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def installed(python: Path, baked: dict[str, Path]) -> Iterator[None]:
    """The packages, found by this process as by one of that environment."""
    path, handlers, level = list(sys.path), list(logging.root.handlers), logging.root.level
    site.addsitedir(str(next(python.parents[1].glob("lib/python*/site-packages"))))
    registry.refresh()
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("lerobot_") and "_my_" in name]:
        del sys.modules[name]
    registry.refresh()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def lerobot(*arguments: str | Path) -> None:
    """Run a command as the command line does, in this process."""
    assert main(["lerobot", *map(str, arguments)]) == 0, arguments


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_holds_exactly_these_files(baked: dict[str, Path], kind: str) -> None:
    folder = baked[kind]
    package = f"lerobot_{kind}_{folder.name.removeprefix('lerobot-').replace('-', '_')}"
    bus = {"src/{package}/bus.py"} if kind in WITH_BUS else set()
    assert set(contents(folder)) == {path.format(package=package, kind=kind) for path in COMMON | bus}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in(baked: dict[str, Path], kind: str) -> None:
    for name, text in contents(baked[kind]).items():
        assert "cookiecutter" not in name
        # What GitHub fills in would be written the same way; there is none of it.
        assert b"{{" not in text
        assert b"{%" not in text


@pytest.mark.parametrize(
    ("license_name", "first_line"),
    [("MIT", "MIT License"), ("BSD-3-Clause", "BSD 3-Clause License"), ("Apache-2.0", "Apache License")],
)
def test_the_licence_is_the_chosen_one(tmp_path: Path, license_name: str, first_line: str) -> None:
    folder = bake(tmp_path, "processor", "my-step", license=license_name, author="Ada Lovelace")
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert text.strip().splitlines()[0].strip() == first_line
    assert ("Ada Lovelace" in text) == (license_name != "Apache-2.0")
    assert f'license = "{license_name}"' in (folder / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["x", "my-thing", "my-very-long-named-new-thing"])
def test_baked_code_is_clean(tmp_path: Path, name: str) -> None:
    """Whatever the length of the name, lines break as the formatter wants them."""
    for kind in KINDS:
        bake(tmp_path / kind, kind, name)
    ruff = Path(sys.executable).with_name("ruff")
    run(ruff, "check", "--no-cache", ".", cwd=tmp_path)
    run(ruff, "format", "--no-cache", "--check", ".", cwd=tmp_path)


@pytest.mark.slow
def test_baked_code_passes_the_type_checker(baked: dict[str, Path], python: Path) -> None:
    for folder in baked.values():
        mypy = Path(sys.executable).with_name("mypy")
        run(mypy, "--python-executable", python, "--cache-dir", baked["robot"].parent / "cache", "src", cwd=folder)


def test_what_all_templates_share_is_the_same_in_each() -> None:
    for name in SAME_IN_ALL:
        assert len({next((ROOT / "templates" / kind).glob(f"*/{name}")).read_bytes() for kind in KINDS}) == 1, name


def test_plain_cookiecutter_bakes_the_same_from_a_clone(
    baked: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cookiecutter REPOSITORY --directory templates/KIND`, with nothing of ours installed but what git brought."""
    from cookiecutter.main import cookiecutter

    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "templates", repository / "templates", symlinks=True)
    for kind in KINDS:
        real = (ROOT / "templates" / kind).resolve()
        shutil.copytree(real, repository / real.relative_to(ROOT))
    monkeypatch.setenv("HOME", str(tmp_path))
    run("git", "init", "-q", cwd=repository)
    run("git", "add", "-A", "-f", cwd=repository)
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    run("git", *author, "commit", "-q", "-m", "Templates", cwd=repository)
    settings = tmp_path / "settings.yml"
    settings.write_text(f"cookiecutters_dir: {tmp_path / 'clones'}\nreplay_dir: {tmp_path / 'replay'}\n", "utf-8")
    for kind, name in NAMES.items():
        made = cookiecutter(
            f"git+{repository.as_uri()}",
            directory=f"templates/{kind}",
            no_input=True,
            extra_context={"name": name},
            output_dir=str(tmp_path / "made"),
            config_file=str(settings),
        )
        assert Path(made).name == baked[kind].name
        assert contents(Path(made)) == contents(baked[kind]), kind


def test_plain_cookiecutter_understands_any_words_as_a_name(tmp_path: Path) -> None:
    from cookiecutter.generate import generate_context
    from cookiecutter.prompt import prompt_for_config

    context = generate_context(str(ROOT / "templates/robot/cookiecutter.json"), extra_context={"name": "My 2nd Arm"})
    values = prompt_for_config(context, no_input=True)
    assert (values["__name"], values["__class_name"], values["__title"]) == ("my_2nd_arm", "My2ndArm", "My 2nd arm")
    assert values["__folder"] == "lerobot-my-2nd-arm"


# --- what it does ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("installed")
def test_every_plugin_is_listed_with_its_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    lerobot("plugins", "list", "--format=json")
    found = {(each["kind"], each["name"]): each["distribution"] for each in json.loads(capsys.readouterr().out)}
    for kind, name in NAMES.items():
        assert found[kind, name.replace("-", "_")] == f"lerobot-{kind}-{name}"


def test_their_own_tests_pass(baked: dict[str, Path], python: Path) -> None:
    folders = [folder / "tests" for folder in baked.values()]
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--strict-markers", "-W", "error")
    result = run(python, "-m", "pytest", *options, *folders, cwd=baked["robot"].parent)
    assert " passed" in result.stdout


CAMERA = "{front: {type: my_camera, width: 64, height: 48, fps: 30}}"
ARM = ("--robot.type=my_arm", f"--robot.cameras={CAMERA}")
TRAINING = (
    "--policy.type=my_policy",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--steps=2",
    "--save_freq=2",
    "--batch_size=4",
    "--num_workers=0",
)
EVALUATION = (
    "--env.type=my_env",
    "--env.episode_length=5",
    "--eval.n_episodes=2",
    "--eval.batch_size=1",
    "--eval.use_async_envs=false",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, installed: None) -> Iterator[Path]:
    """The folder of datasets and calibrations, and the one that commands are run in."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_LEROBOT_HOME", str(folder))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def recorded(home: Path) -> tuple[str, ...]:
    """A dataset, as flags: the robot driven by the teleoperator through the processor, seen by the camera."""
    dataset = ("--dataset.repo_id=me/waving", f"--dataset.root={home / 'waving'}")
    lerobot(
        "record",
        *ARM,
        "--teleop.type=my_teleoperator",
        "--processors.teleop=[{type: my_processor}]",
        *dataset,
        "--dataset.single_task=Wave",
        "--dataset.no_stamp=true",
        "--dataset.num_episodes=1",
        "--dataset.episode_time_s=1",
        "--dataset.reset_time_s=0",
        "--play_sounds=false",
    )
    return dataset


@pytest.fixture(scope="module")
def trained(home: Path, recorded: tuple[str, ...]) -> Path:
    """The policy after two steps on that dataset."""
    lerobot("train", *TRAINING, *recorded, f"--output_dir={home / 'robot'}")
    return home / "robot" / "checkpoints" / "last" / "pretrained_model"


@pytest.fixture(scope="module")
def trained_in_env(home: Path) -> Path:
    """The policy after two steps on a dataset of the environment, evaluated in it on the way."""
    write_walks(home / "walks")
    lerobot(
        "train",
        *TRAINING,
        *EVALUATION,
        "--env_eval_freq=2",
        "--dataset.repo_id=me/walks",
        f"--dataset.root={home / 'walks'}",
        f"--output_dir={home / 'env'}",
    )
    return home / "env" / "checkpoints" / "last" / "pretrained_model"


def write_walks(root: Path) -> None:
    """Three walks of the environment's point towards its goal."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    env = registry.config_class("env", "my_env")().build()
    vector = {"dtype": "float32", "names": None}
    features = {"observation.state": {**vector, "shape": (4,)}, "action": {**vector, "shape": (2,)}}
    dataset = LeRobotDataset.create("me/walks", 10, features, root)
    for seed in range(3):
        state, _ = env.reset(seed=seed)
        for _ in range(10):
            action = (state[2:] - state[:2]).clip(-1, 1)
            dataset.add_frame({"observation.state": state, "action": action, "task": env.task_description})
            state, *_ = env.step(action)
        dataset.save_episode()
    dataset.finalize()
    env.close()


@pytest.mark.usefixtures("home")
def test_robot_and_teleoperator_are_driven() -> None:
    lerobot("teleoperate", "--robot.type=my_arm", "--teleop.type=my_teleoperator", "--teleop_time_s=0.2")


def test_the_camera_is_found_and_its_picture_saved(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lerobot("find-cameras", "my_camera", "--record_time_s=0.1", "--warmup_s=0")
    assert "Name: My camera @ virtual" in capsys.readouterr().out
    assert (home / "outputs/captured_images/mycamera_virtual.png").read_bytes().startswith(b"\x89PNG")


def test_robot_teleoperator_camera_and_processor_are_recorded_with(home: Path, recorded: tuple[str, ...]) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("me/waving", home / "waving")
    assert dataset.meta.robot_type == "my_arm"
    assert len(dataset) == 30
    frame = dataset[15]
    assert frame["observation.state"].shape == frame["action"].shape == (6,)
    assert tuple(frame["observation.images.front"].shape) == (3, 48, 64)


def test_the_policy_drives_the_robot(trained: Path) -> None:
    lerobot("rollout", f"--policy.path={trained}", *ARM, "--duration=0.5", "--return_to_initial_position=false")


def test_the_policy_fits_the_robot(trained: Path, recorded: tuple[str, ...]) -> None:
    lerobot("check", f"--policy.path={trained}", *ARM, *recorded)


def test_the_policy_is_exported(home: Path, trained: Path) -> None:
    folder = home / "exported"
    lerobot("export", f"--policy.path={trained}", *ARM, "--formats=[pt2]", f"--output_dir={folder}")
    described = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
    assert described["n_action_steps"] == 8
    assert described["outputs"][0]["shape"] == ["batch", 16, 6]


def test_the_policy_is_evaluated_in_the_env(home: Path, trained_in_env: Path) -> None:
    folder = home / "evaluated"
    lerobot("eval", f"--policy.path={trained_in_env}", *EVALUATION, f"--output_dir={folder}")
    assert json.loads((folder / "eval_info.json").read_text(encoding="utf-8"))["overall"]["n_episodes"] == 2


def test_training_goes_on(home: Path, trained_in_env: Path) -> None:
    lerobot("train", f"--config_path={trained_in_env / 'train_config.json'}", "--resume=true", "--steps=4")
    assert (home / "env" / "checkpoints" / "last").resolve().name.endswith("4")


@pytest.mark.usefixtures("installed")
def test_the_processor_is_saved_in_a_pipeline(tmp_path: Path) -> None:
    from lerobot.core.processors import DataProcessorPipeline, build_step

    config = registry.config_class("processor", "my_processor")(share=0.25)
    DataProcessorPipeline([build_step(config)], "smoothing").save_pretrained(tmp_path)
    loaded = DataProcessorPipeline.from_pretrained(tmp_path, "smoothing.json")
    assert [type(step).__name__ for step in loaded.steps] == ["MyProcessor"]
    assert loaded.steps[0].get_config() == {"share": 0.25}
