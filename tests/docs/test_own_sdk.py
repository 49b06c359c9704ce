"""The page about an arm with an SDK of its own, block by block, in an environment that it may install into."""

import os
import re
import site
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/wrap-an-arm-that-has-its-own-sdk.md"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_blocks_of_the_page_run(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, environment], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    # What the package needs is there already; nothing is fetched.
    text = "\n".join(blocks).replace("uv pip install -e", "uv pip install -q --offline --no-deps -e")
    for name, (module, function) in {"lerobot": ("lerobot_cli", "main"), "pytest": ("pytest", "console_main")}.items():
        script = environment / "bin" / name
        script.write_text(
            f"#!{environment}/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        script.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(environment),
            "HF_LEROBOT_HOME": str(tmp_path / "home"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert " passed" in done.stdout
