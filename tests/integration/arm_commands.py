"""Commands on virtual arms that need no terminal, in a folder of their own."""

import os
import shutil
import subprocess
from pathlib import Path

from lerobot.motors.virtual import VirtualBus

CAMERA = "{front: {type: fake, width: 64, height: 48, fps: 30}}"
SMALL_ACT = (
    "--policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2 --policy.n_encoder_layers=1"
    " --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
"""What makes a policy small enough for a test."""
SOON = "--safety.ramp_s=0.2"


def run_command(folder: Path, line: str, keys: str = "") -> str:
    """Run a command line and wait for its good end.

    Args:
        folder: where it works; calibrations are in `calibration`, datasets in `lerobot`.
        line: the command, with flags that begin with two dashes.
        keys: what is typed.

    Returns:
        What it said.
    """
    command, *arguments = line.split(" --")
    program = shutil.which(command)
    assert program, command
    environment = {
        **os.environ,
        "HF_LEROBOT_HOME": str(folder / "lerobot"),
        "HF_LEROBOT_CALIBRATION": str(folder / "calibration"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [program, *(f"--{argument.strip()}" for argument in arguments)],
        env=environment,
        cwd=folder,
        input=keys,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 0, f"{line}\n{shown}"
    assert "Traceback" not in shown
    return shown


def released(line: VirtualBus) -> bool:
    """Whether no motor has torque."""
    return not any(line.state(motor)["Torque_Enable"] for motor in line.spec.ids.values())
