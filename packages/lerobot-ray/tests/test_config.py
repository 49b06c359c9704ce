"""What the engine `ray` is without Ray: its configuration, and that nothing imports Ray before it is named."""

import subprocess
import sys

import pytest

from lerobot.core.config import load
from lerobot.core.config.base import CommandConfig
from lerobot.core.errors import ConfigError
from lerobot.jobs.config import ExecutorConfig
from lerobot.ray.config import RayExecutorConfig


class Work(CommandConfig):
    """A command with an engine."""

    executor: ExecutorConfig | None = None


def test_flags_say_which_cluster_and_what_a_shard_reserves() -> None:
    flags = [
        "--executor.type=ray",
        "--executor.address=auto",
        "--executor.num_gpus=0.5",
        "--executor.resources={arm: 1}",
        "--executor.runtime_env={env_vars: {HF_HUB_OFFLINE: '1'}}",
    ]
    assert load(Work, flags).config.executor == RayExecutorConfig(
        address="auto",
        num_gpus=0.5,
        resources={"arm": 1.0},
        runtime_env={"env_vars": {"HF_HUB_OFFLINE": "1"}},
    )


@pytest.mark.parametrize("flag", ["--executor.num_cpus=-1", "--executor.attempts=0", "--executor.workers=0"])
def test_numbers_that_cannot_be_are_refused(flag: str) -> None:
    with pytest.raises(ConfigError, match=flag.partition("=")[0]):
        load(Work, ["--executor.type=ray", flag])


def test_nothing_imports_ray_unless_it_runs() -> None:
    """Neither listing the engines, nor choosing another, nor reading the flags of this one."""
    program = (
        "import sys\n"
        "from lerobot.core.config import load\n"
        "from lerobot.core.registry import registry\n"
        "from lerobot.jobs.config import ExecutorConfig, LocalExecutorConfig\n"
        "assert {'local', 'ray'} <= set(registry.names('executor'))\n"
        "LocalExecutorConfig().build()\n"
        "registry.config_class('executor', 'ray')()\n"
        "import lerobot.ray.task\n"
        "sys.exit(', '.join(name for name in ('ray', 'torch', 'numpy') if name in sys.modules) or None)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
