"""The arm moves, looks and is rewarded as in gym-hil itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerobot.envs.opengl import LIBRARIES, platform
from lerobot.gym_hil.config import GymHilConfig

GOLDEN = Path(__file__).parents[4] / "shared/data/golden/envs/gym_hil_pick_cube.json"

GYM_HIL_ITSELF = """
import sys
import numpy as np
import gym_hil
from lerobot.gym_hil.config import GymHilConfig

scene, variant, pictures = sys.argv[1], sys.argv[2], sys.argv[3] == "pictures"
name = f"gym_hil/{scene}{variant}-v0"
kwargs = {} if variant else {"reset_delay_seconds": 0, "gripper_penalty": -0.5}
if variant:
    from gym_hil.envs import PandaArrangeBoxesGymEnv, PandaPickCubeGymEnv
    made = {"PandaPickCube": PandaPickCubeGymEnv, "PandaArrangeBoxes": PandaArrangeBoxesGymEnv}[scene]
    reference = made(image_obs=pictures, reward_type="dense")
else:
    reference = gym_hil.make_env(f"gym_hil/{scene}Base-v0", image_obs=pictures, reward_type="dense", **kwargs)
env = GymHilConfig(
    task=name, gripper_penalty=-0.5, reward_type="dense",
    obs_type="pixels_agent_pos" if pictures else "environment_state_agent_pos",
).build()
env.reset(seed=0)
reference.reset()
# Blocks are thrown by numpy's global numbers there.
env._data.qpos[:] = reference.unwrapped.data.qpos
random = np.random.default_rng(1)
assert env.action_space == reference.action_space, (env.action_space, reference.action_space)
for step in range(2 if pictures else 30):
    action = random.uniform(env.action_space.low, env.action_space.high).astype(np.float32)
    seen, *ours, info = env.step(action)
    expected, *theirs, their_info = reference.step(action)
    assert seen.keys() == expected.keys()
    assert np.array_equal(seen["agent_pos"], expected["agent_pos"]), step
    assert ours == theirs, (step, ours, theirs)
    assert info["succeed"] == their_info["succeed"]
    if not variant:
        assert info["discrete_penalty"] == their_info["discrete_penalty"]
    for camera in ("front", "wrist") if pictures else ():
        assert np.array_equal(seen["pixels"][camera], expected["pixels"][camera]), (step, camera)
print("the same")
"""


@pytest.mark.skipif(not GOLDEN.exists(), reason="../shared is not here")
def test_the_recorded_trajectory_is_reproduced() -> None:
    """20 random actions, recorded from gym-hil 0.1.14 on MuJoCo 3.8.1."""
    golden = json.loads(GOLDEN.read_text())
    env = GymHilConfig(task=golden["env"], obs_type="environment_state_agent_pos").build()
    seen, _ = env.reset(seed=golden["seed"])
    first, *rows = golden["rows"]
    for action, row in zip([None, *golden["actions"]], [first, *rows], strict=True):
        if action is not None:
            seen, reward, *_ = env.step(np.array(action, np.float32))
            assert reward == row["reward"]
        # Recorded with nine digits.
        np.testing.assert_allclose(seen["agent_pos"], row["agent_pos"], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(seen["environment_state"], row["environment_state"], rtol=1e-6, atol=1e-6)
    env.close()
    assert np.ptp([row["agent_pos"] for row in rows], axis=0).max() > 1


@pytest.mark.parametrize(
    ("scene", "variant", "shown"),
    [
        # gym-hil's own pictures take a second each on a CPU.
        pytest.param("PandaPickCube", "Base", "pictures", marks=pytest.mark.slow),
        ("PandaPickCube", "", "states"),
        ("PandaArrangeBoxes", "", "states"),
    ],
)
def test_it_is_gym_hils_own(scene: str, variant: str, shown: str) -> None:
    """Same start and actions: the same pictures, states, rewards, penalties and ends, to the last bit.

    In a process of its own: gym-hil draws with what MuJoCo found when it was imported.
    """
    environment = {**os.environ, "MUJOCO_GL": platform() or ""}
    assert environment["MUJOCO_GL"] in LIBRARIES
    program = [sys.executable, "-W", "ignore", "-c", GYM_HIL_ITSELF, scene, variant, shown]
    said = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=120)
    assert said.stdout.strip() == "the same", said.stderr
