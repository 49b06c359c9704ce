"""What smaller policies cost in success: small students with and without a teacher, and weights that are pruned away.

Usage: bench_smaller_policies.py FOLDER [SEED]      (a quarter of an hour; what FOLDER holds is not made again)

The virtual arm's reach, from the joints and the ball's place: the demonstrations, the training and the starts that are
played are those of tests/integration/test_bc_learns.py.
"""

import json
import sys
from pathlib import Path

from measure import table
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from test_bc_learns import UNSTEADY_DEG, learned, record

from lerobot.sim.expert import Skill

POLICY = "run/checkpoints/last/pretrained_model"
ACT = (
    "--policy.type=act", "--policy.dim_model=96", "--policy.n_heads=4", "--policy.dim_feedforward=192",
    "--policy.n_encoder_layers=2", "--policy.use_vae=false", "--policy.chunk_size=10", "--policy.n_action_steps=5",
    "--steps=2000", "--batch_size=32",
)  # fmt: skip
SMALL_ACT = (
    "--policy.type=act", "--policy.dim_model=16", "--policy.n_heads=2", "--policy.dim_feedforward=32",
    "--policy.n_encoder_layers=1", "--policy.use_vae=false", "--policy.chunk_size=10", "--policy.n_action_steps=5",
    "--steps=2000", "--batch_size=32",
)  # fmt: skip
BC_MLP = ("--policy.type=bc_mlp", "--policy.hidden_dims=[16, 16]", "--steps=2000", "--batch_size=64")
NOISE = "--dataset.state_noise=0.1"
TUNED, AT_ONCE = 300, 50
"""Steps of learning further, of which the weights go after the first."""
PRUNED = {f"{amount:.0%} of its weights zero": ("magnitude", amount) for amount in (0.5, 0.8, 0.95)} | {
    "half of its heads zero": ("heads", 0.5)
}


def rows(folder: Path) -> dict[str, tuple[str, ...]]:
    """Flags of every policy, the teacher first."""
    taught = f"--teacher.path={folder / 'teacher' / POLICY}"
    tuned = (f"--policy.path={folder / 'teacher' / POLICY}", f"--steps={TUNED}", "--batch_size=32")
    return {
        "teacher": ACT,
        "small act": SMALL_ACT,
        "small act, teacher": (*SMALL_ACT, taught),
        "small act, noise": (*SMALL_ACT, NOISE),
        "small act, noise, teacher": (*SMALL_ACT, NOISE, taught),
        "bc_mlp, noise": (*BC_MLP, NOISE),
        "bc_mlp, noise, teacher": (*BC_MLP, NOISE, taught),
        "teacher, learning further": tuned,
        **{
            f"teacher, {name}": (*tuned, f"--prune.kind={kind}", f"--prune.amount={amount}", f"--prune.begin={AT_ONCE}")
            for name, (kind, amount) in PRUNED.items()
        },
    }


def weights(policy: Path) -> tuple[int, int]:
    """How many there are, and how many are not zero."""
    with safe_open(policy / "model.safetensors", "pt") as file:
        tensors = [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118 - it is no mapping
    return sum(each.numel() for each in tensors), sum(int((each != 0).sum()) for each in tensors)


def main(folder: Path, seed: int) -> None:
    if not (folder / "data").exists():
        record(folder / "data", Skill(noise_deg=UNSTEADY_DEG))
    found = []
    for name, flags in rows(folder).items():
        place = folder / name.replace(", ", "_").replace(" ", "_")
        if not (place / "played/eval_info.json").exists():
            learned(folder / "data", place, seed, *flags)
        result = json.loads((place / "played/eval_info.json").read_text())["overall"]
        low, high = result["pc_success_interval_95"]
        there, left = weights(place / POLICY)
        found.append([name, f"{there:,}", f"{left:,}", f"{result['pc_success']:.0f} %", f"{low:.0f} to {high:.0f} %"])
    table(found, ["policy", "weights", "not zero", "success", "95 %"])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
