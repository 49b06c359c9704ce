"""Every check of the project, by name. `nox` without arguments runs what CI runs."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests", "isolated", "wheels", "docs"]

ROOT = Path(__file__).parent
# Bundles only require packages and hold no module.
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir() if (path / "src").exists())
WHEELS = ROOT / "dist"
# Bytecode is written where a module is first imported: a fraction of what compiling whole environments costs.
TEST_ENV = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "UV_COMPILE_BYTECODE": None, "PYTHONDONTWRITEBYTECODE": None}
# One a core: tests of real time fail where more of them wait for each other.
WORKERS = min(8, os.cpu_count() or 1)
# A file stays in one process, so that what its tests share is made once.
PYTEST = ["pytest", "-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
PEER = [
    "lerobot[dataset,training,feetech,dynamixel,hardware,diffusion,pusht,aloha,lekiwi,rebot]==0.6.1",
    "transformers>=5.4,<5.6",
]
# The last releases that have GR00T N1.5 ask for flash attention, which no CPU has: they get what they import instead.
PEER_044 = [
    *("torch", "torchvision", "transformers>=4.57.1,<5", "huggingface-hub<1", "diffusers<0.36", "datasets>=4,<4.2"),
    *("draccus==0.10.0", "dm-tree", "einops", "imageio", "av", "deepdiff", "gymnasium", "opencv-python-headless"),
    *("pyserial", "rerun-sdk", "termcolor", "jsonlines", "numpy<2.3", "safetensors", "accelerate", "peft"),
]
ENGINES = ["ray[data]>=2.60,<3", "daft>=0.7.26,<0.8"]
# Its simulations ask for the OpenCV with windows, which needs system libraries.
PEER_OVERRIDES = "opencv-python; sys_platform == 'never'\n"


def environment(name: str) -> tuple[Path, dict[str, str | None]]:
    """An empty folder for a virtual environment, and the variables that make uv use it."""
    folder = ROOT / ".nox" / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder, {**TEST_ENV, "UV_PROJECT_ENVIRONMENT": str(folder), "VIRTUAL_ENV": str(folder)}


def interpreter(version: str) -> str | None:
    """A working Python of this version, or None."""
    places = [f"python{version}", *sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))]
    for place in places:
        found = shutil.which(place)
        if found and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
            return found
    return None


@nox.session
def lint(session: nox.Session) -> None:
    """Style, docstrings, banned calls, formatting, lock file."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("uv", "lock", "--check", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Strict type checking of every package."""
    session.run("mypy", "--num-workers", "2", *[f"packages/{package}/src" for package in PACKAGES])


@nox.session
def tests(session: nox.Session) -> None:
    """Every test that is not slow and needs no peer; arguments go to pytest."""
    chosen = "not slow and not peer and not hardware and not wheels and not browser"
    session.run(*PYTEST, "-m", chosen, *session.posargs, env=TEST_ENV)


@nox.session
def slow(session: nox.Session) -> None:
    """The long runs: many kills, many seeds."""
    session.run(*PYTEST, "-m", "slow and not browser", *session.posargs, env=TEST_ENV)


@nox.session
def studio(session: nox.Session) -> None:
    """The studio in a browser: Debian's Chromium, brought where it is missing, driven by Playwright."""
    if not shutil.which("chromium"):
        session.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", external=True)
    pytest = ["uv", "run", "--frozen", "--group", "browser", "pytest", "-q", "-m", "browser and not slow"]
    session.run(*pytest, *(session.posargs or ["tests/studio"]), env=TEST_ENV, external=True)


@nox.session
def isolated(session: nox.Session) -> None:
    """Each package synced alone, every module imported: what a package imports, it declares."""
    session.run("python", "tests/architecture/check_isolated.py", *(session.posargs or PACKAGES), env=TEST_ENV)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build every package, look into the wheels, install them into a clean environment and use them there."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    env = {**TEST_ENV, "SOURCE_DATE_EPOCH": "1767225600"}
    again = WHEELS / "again"
    for folder in (WHEELS, again):
        session.run("uv", "build", "-q", "--all-packages", "--wheel", "--out-dir", str(folder), env=env, external=True)
    for wheel in WHEELS.glob("*.whl"):
        if wheel.read_bytes() != (again / wheel.name).read_bytes():
            session.error(f"{wheel.name}: two builds of the same source differ")
    shutil.rmtree(again)
    for wheel in sorted(WHEELS.glob("*.whl")):
        names = zipfile.ZipFile(wheel).namelist()
        bundle = wheel.name.partition("-")[0].replace("_", "-") not in PACKAGES
        if "lerobot/__init__.py" in names or not (bundle or any(name.endswith("py.typed") for name in names)):
            session.error(f"{wheel.name}: a wheel carries py.typed and never lerobot/__init__.py")
    session.run(*PYTEST, "-q", "-m", "wheels", "tests/integration", env={**env, "LEROBOT_WHEELS": str(WHEELS)})


@nox.session
def index(session: nox.Session) -> None:
    """Compare the wheels of `nox -s wheels` with what an index serves under their names: `nox -s index -- URL`."""
    if len(session.posargs) != 1:
        session.error("which index? nox -s index -- https://HOST/simple")
    session.run("python", "tests/architecture/check_index.py", *session.posargs, str(WHEELS))


@nox.session
def third_party(session: nox.Session) -> None:
    """Add third-party plugins from the package index beside our wheels (`nox -s wheels` first), and drive three."""
    python = interpreter("3.12") or session.error("most of these plugins need Python 3.12")
    folder, env = environment("third-party")
    names = ["compat", "core", "datasets", "envs", "feetech", "keyboard", "kinematics", "lekiwi", "motors", "opencv"]
    names += ["policies", "remote", "rollout", "so100", "training"]
    # By file: asked by name, an index may have something newer of somebody else's.
    ours = [str(wheel) for name in names for wheel in WHEELS.glob(f"lerobot_{name}-*.whl")]
    session.run("uv", "venv", "-q", "--python", python, str(folder), env=env, external=True)
    session.run("uv", "pip", "install", "-q", *ours, env=env, external=True)
    session.run("python", "tests/integration/third_party_plugins.py", str(folder), str(WHEELS), env=env)


@nox.session
def pythons(session: nox.Session) -> None:
    """The wheels of `nox -s wheels` on every supported Python of this machine."""
    found = [python for version in ("3.11", "3.12", "3.13") if (python := interpreter(version))]
    env = {**TEST_ENV, "LEROBOT_WHEELS": str(WHEELS), "LEROBOT_PYTHONS": os.pathsep.join(found)}
    session.run("pytest", "-q", "-m", "wheels", "tests/integration/test_quickstart.py", env=env)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site strictly: a warning, a broken link or a missing name fails."""
    folder, env = environment("docs")
    session.run("uv", "sync", "-q", "--frozen", "--only-group", "docs", env=env, external=True)
    session.run(
        str(folder / "bin" / "mkdocs"),
        "build",
        "--strict",
        "--quiet",
        env={**env, "NO_MKDOCS_2_WARNING": "1"},
        external=True,
    )


@nox.session
def templates(session: nox.Session) -> None:
    """Bake every plugin template, install it, run its tests."""
    session.run("pytest", "-q", "tests/templates", "-m", "", env=TEST_ENV)


def peer_python(session: nox.Session) -> str:
    """The interpreter of an environment that has huggingface/lerobot: the one that is named, or a new one's."""
    if peer := os.environ.get("LEROBOT_PEER_PYTHON"):
        return peer
    python = interpreter("3.12") or session.error("the peer needs Python 3.12")
    folder, env = environment("peer")
    session.run("uv", "venv", "-q", "--python", python, str(folder), env=env, external=True)
    overrides = folder / "overrides.txt"
    overrides.write_text(PEER_OVERRIDES, encoding="utf-8")
    session.run("uv", "pip", "install", "-q", "--override", str(overrides), *PEER, env=env, external=True)
    return str(folder / "bin" / "python")


def peer_044_python(session: nox.Session) -> str:
    """The same for release 0.4.4."""
    if peer := os.environ.get("LEROBOT_PEER_044_PYTHON"):
        return peer
    python = interpreter("3.11") or session.error("release 0.4.4 needs Python 3.11")
    folder, env = environment("peer-044")
    session.run("uv", "venv", "-q", "--python", python, str(folder), env=env, external=True)
    session.run("uv", "pip", "install", "-q", "--no-deps", "lerobot==0.4.4", env=env, external=True)
    session.run("uv", "pip", "install", "-q", *PEER_044, env=env, external=True)
    return str(folder / "bin" / "python")


@nox.session
def interop(session: nox.Session) -> None:
    """Cross-load with huggingface/lerobot from PyPI, a current and an old release, in environments of their own."""
    peers = {"LEROBOT_PEER_PYTHON": peer_python(session), "LEROBOT_PEER_044_PYTHON": peer_044_python(session)}
    session.run("pytest", "-m", "peer", *session.posargs, env={**TEST_ENV, **peers})


@nox.session
def engines(session: nox.Session) -> None:
    """Read what is written here with the readers of Ray Data and Daft, as the page about them says."""
    peer = peer_python(session)
    folder, env = environment("engines")
    session.run("uv", "venv", "-q", "--python", peer, str(folder), env=env, external=True)
    session.run("uv", "pip", "install", "-q", *ENGINES, env=env, external=True)
    # Ray's reader stands on huggingface/lerobot, which is seen from here rather than installed again.
    where = [peer, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(where, capture_output=True, text=True, check=True).stdout
    next(folder.glob("lib/*/site-packages")).joinpath("peer.pth").write_text(site, encoding="utf-8")
    session.run("python", "tests/docs/run_page.py", "docs/how-to/read-with-ray-and-daft.md", str(folder), env=TEST_ENV)


@nox.session
def compat(session: nox.Session) -> None:
    """Write which public names of huggingface/lerobot import here; `-- --check` compares the page instead."""
    env = {**TEST_ENV, "LEROBOT_PEER_PYTHON": peer_python(session)}
    session.run("python", "tests/compat/write_names.py", *session.posargs, env=env)


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks; each prints its own table. Set LEROBOT_PEER_PYTHON to see the peer beside us."""
    for script in session.posargs or sorted(map(str, Path("tests/benchmarks").glob("bench_*.py"))):
        session.run("python", script, env=TEST_ENV)


@nox.session
def gpu(session: nox.Session) -> None:
    """One GPU, at most eight minutes: learning, acting, resuming, exporting, agreement with the CPU."""
    session.run("python", "tests/benchmarks/gpu_session.py", *session.posargs, env={"HF_HUB_OFFLINE": "1"})


@nox.session
def pusht(session: nox.Session) -> None:
    """Train Diffusion Policy on PushT, here and in the peer, and score both; some 35 minutes on two cores."""
    session.run("python", "tests/benchmarks/pusht_diffusion.py", *session.posargs, env={"HF_HUB_OFFLINE": "1"})


@nox.session
def release(session: nox.Session) -> None:
    """Prepare a release, `nox -s release -- 0.2.0`: versions, changelog, lock file; then commit and tag it v0.2.0."""
    if len(session.posargs) != 1:
        session.error("which version? nox -s release -- 0.2.0")
    session.run("python", "tests/architecture/write_version.py", *session.posargs)
    session.run("towncrier", "build", "--yes", "--version", *session.posargs)
    session.run("uv", "lock", external=True)


@nox.session
def reference(session: nox.Session) -> None:
    """Write the pages of the reference that follow from the code."""
    session.run("python", "tests/docs/write_reference.py")


@nox.session
def catalog(session: nox.Session) -> None:
    """Write what the packages register into the catalogue of known plugins."""
    session.run("python", "tests/architecture/write_catalog.py")
