"""Scenes that differ: by the seeds alone, as far as is said, in every part, and recorded."""

import numpy as np
import pytest

from lerobot.sim.config import RandomizationConfig, SimEnvConfig
from lerobot.sim.env import SimEnv
from lerobot.sim.rendering import make_renderer
from lerobot.sim.scene import VIEWS
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import HOME, World

SPREADS = [name for name in RandomizationConfig.model_fields if name not in {"strength", "seed", "fixed"}]


def only(**spreads: float) -> RandomizationConfig:
    """All spreads 0 but those."""
    return RandomizationConfig(**{"strength": 1, **dict.fromkeys(SPREADS, 0.0), **spreads})


def world(config: RandomizationConfig | None = None, *, seed: int = 0, episode: int = 0, task: str = "lift") -> World:
    made = World(TASKS[task](), randomization=config)
    made.reset(seed=seed, episode=episode)
    return made


def picture(seen: World, view: str = "front", kind: str = "painter") -> np.ndarray:
    renderer = make_renderer(kind, seen.model)
    image = seen.randomization.grain(renderer.render(seen.data, view, 96, 72))
    renderer.close()
    return image.astype(int)


def test_without_strength_nothing_differs() -> None:
    plain, still = world(), world(RandomizationConfig(light=5.0, mass=5.0))
    assert still.randomization.values == {}
    assert np.array_equal(picture(plain), picture(still))
    assert plain.model.ngeom == still.model.ngeom
    for name in ("body_mass", "geom_friction", "cam_pos", "light_dir"):
        assert np.array_equal(getattr(plain.model, name), getattr(still.model, name))


def test_draws_depend_on_seeds_and_episode_alone() -> None:
    config = RandomizationConfig(strength=1)
    first = world(config, seed=3, episode=2)
    drawn, seen = dict(first.randomization.values), picture(first)
    first.reset(seed=9)
    assert first.randomization.values != drawn
    first.reset(seed=3, episode=2)
    assert first.randomization.values == drawn
    assert np.array_equal(picture(first), seen)
    others = [(config, 3, 1), (config, 4, 2), (RandomizationConfig(strength=1, seed=1), 3, 2)]
    for other, seed, episode in others:
        assert world(other, seed=seed, episode=episode).randomization.values["light"] != drawn["light"]


def test_a_fixed_scene_is_the_same_in_every_episode() -> None:
    config = RandomizationConfig(strength=1, seed=7, fixed=True)
    found = [world(config, seed=seed, episode=episode).randomization.values for seed, episode in ((0, 0), (1, 4))]
    assert found[0] == found[1]
    assert found[0]["light"] != world(RandomizationConfig(strength=1, seed=8, fixed=True)).randomization.values["light"]


def test_objects_lie_where_they_lie_without() -> None:
    plain, varied = world(seed=5), world(RandomizationConfig(strength=2), seed=5)
    assert np.array_equal(plain.position("cube"), varied.position("cube"))
    assert np.array_equal(plain.joint_positions, varied.joint_positions)


def test_values_stay_inside_their_spreads_and_fill_them() -> None:
    config = RandomizationConfig(strength=0.5)
    made = World(TASKS["lift"](), randomization=config)
    drawn = []
    for seed in range(200):
        made.reset(seed=seed)
        drawn.append(made.randomization.values)
    for name, (low, high) in {
        "light": (0.875, 1.125),
        "light_deg": (-15, 15),
        "table_red": (-0.06, 0.06),
        "arm_blue": (-0.06, 0.06),
        "pattern": (0, 0.06),
        "front_x_m": (-0.005, 0.005),
        "wrist_z_deg": (-1, 1),
        "mass": (0.85, 1.15),
        "friction": (0.9, 1.1),
        "servo": (0.95, 1.05),
        "joint_friction": (0.75, 1.25),
        "latency_s": (0, 0.01),
        "joint_noise_deg": (0, 0.1),
        "picture_noise": (0, 2),
    }.items():
        values = np.array([each[name] for each in drawn])
        assert low <= values.min() < low + 0.1 * (high - low), name
        assert high >= values.max() > high - 0.1 * (high - low), name


@pytest.mark.parametrize("kind", ["painter", "rays"])
@pytest.mark.parametrize("spread", ["light", "light_deg", "colours", "pattern", "camera_m", "camera_deg"])
def test_each_of_what_is_seen_changes_the_picture(kind: str, spread: str) -> None:
    """And nothing else: with the other spreads 0 the values of the others are those of the scene as made."""
    size = {"camera_deg": 5.0, "light_deg": 60.0, "camera_m": 0.03}.get(spread, 0.3)
    plain, varied = picture(world(), kind=kind), picture(world(only(**{spread: size})), kind=kind)
    assert (np.abs(plain - varied).max(axis=2) > 3).mean() > 0.02
    for view in VIEWS:
        # The tiles are a fifth of a millimetre thick.
        assert (picture(world(only()), view, kind) != picture(world(), view, kind)).mean() < 1e-3


def test_a_brighter_light_is_brighter_by_its_part() -> None:
    plain, lit = world(), world(only(light=0.4))
    factor = lit.randomization.values["light"]
    before, after = picture(plain), picture(lit)
    # Faces that stay below white; the background, the brightest of the dark ones, is no face.
    faces = (before.max(axis=2) < 150) & (before.max(axis=2) > 60)
    assert after[faces].sum() / before[faces].sum() == pytest.approx(factor, abs=0.02)
    assert abs(factor - 1) > 0.1


def test_masses_friction_servos_and_joints_change_by_their_factors() -> None:
    plain = world()
    varied = world(only(mass=0.5, friction=0.5, servo=0.3, joint_friction=0.5), seed=2)
    values, cube = varied.randomization.values, plain.model.body("cube").id
    assert len({round(values[name], 3) for name in ("mass", "friction", "servo", "joint_friction")} - {1.0}) == 4
    np.testing.assert_allclose(varied.model.body_mass[cube], plain.model.body_mass[cube] * values["mass"])
    np.testing.assert_allclose(varied.model.body_subtreemass[cube], varied.model.body_mass[cube])
    arm = plain.model.body("upper_arm").id
    assert varied.model.body_mass[arm] == plain.model.body_mass[arm]
    finger = varied.model.geom("jaw_tip").id
    assert varied.model.geom_friction[finger, 0] == pytest.approx(1.4 * values["friction"])
    assert varied.model.actuator_gainprm[0, 0] == pytest.approx(17.8 * values["servo"])
    assert varied.model.actuator_biasprm[0, 1] == pytest.approx(-17.8 * values["servo"])
    assert varied.model.dof_frictionloss[0] == pytest.approx(0.052 * values["joint_friction"])


def test_the_next_episode_starts_from_the_scene_as_made() -> None:
    """Factors do not pile up."""
    made = world(RandomizationConfig(strength=1))
    for seed in range(20):
        made.reset(seed=seed)
    fresh = world(RandomizationConfig(strength=1), seed=19)
    for name in ("body_mass", "body_inertia", "geom_friction", "geom_rgba", "cam_pos", "cam_quat", "light_dir"):
        assert np.array_equal(getattr(made.model, name), getattr(fresh.model, name)), name


def test_resetting_the_table_leaves_the_arm_where_it_is() -> None:
    made = world(RandomizationConfig(strength=1))
    goal = HOME + np.array([0.4, 0.3, -0.2, -0.3, 0.5, 0.2])
    made.command(goal)
    made.advance(1.0)
    before, drawn = made.joint_positions, made.randomization.values
    made.rearrange(episode=3)
    assert np.array_equal(made.joint_positions, before)
    assert made.randomization.values != drawn


def test_servos_act_later_by_the_drawn_latency() -> None:
    made = world(only(latency_s=0.2), seed=1)
    latency = 0.01 + made.randomization.values["latency_s"]
    assert latency > 0.05
    made.advance(0.5)
    before = made.joint_positions[0]
    made.command(made.joint_positions + np.array([0.5, 0, 0, 0, 0, 0]))
    made.advance(latency - 0.01)
    assert made.joint_positions[0] == pytest.approx(before, abs=1e-3)
    made.advance(0.05)
    assert made.joint_positions[0] > before + 0.02


def test_noise_has_the_drawn_spread_and_is_of_the_episode() -> None:
    made = world(only(joint_noise_deg=2.0, picture_noise=20.0), seed=1)
    readings = np.degrees([made.joint_readings - made.joint_positions for _ in range(500)])
    assert readings.std() == pytest.approx(made.randomization.values["joint_noise_deg"], rel=0.1)
    grey = np.full((72, 96, 3), 128, np.uint8)
    assert made.randomization.grain(grey).std() == pytest.approx(made.randomization.values["picture_noise"], rel=0.1)
    made.reset(seed=1)
    assert np.array_equal(np.degrees([made.joint_readings - made.joint_positions for _ in range(500)]), readings)


@pytest.mark.parametrize("task", list(TASKS))
def test_every_task_stays_a_task(task: str) -> None:
    """Objects stay on the table and the scene at rest, however it is drawn."""
    made = world(RandomizationConfig(strength=2), task=task)
    for seed in range(3):
        made.reset(seed=seed)
        made.advance(0.5)
        assert np.isfinite(made.data.qpos).all()
        assert not made.task.solved(made)


def test_an_environment_says_what_was_drawn_and_repeats_it() -> None:
    config = SimEnvConfig(cameras=("wrist",), width=48, height=32, randomization=RandomizationConfig(strength=1))
    runs = []
    for _ in range(2):
        env = SimEnv(config)
        seen, info = env.reset(seed=4)
        for _ in range(3):
            seen, *_ = env.step(env.action_space.low * 0)
        runs.append((info["randomization"], seen["agent_pos"].tolist(), seen["pixels"]["wrist"].tolist()))
        env.close()
    assert runs[0] == runs[1]
    assert runs[0][0]["mass"] != 1.0
