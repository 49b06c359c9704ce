"""A served checkpoint acts as it would here, on robots and for openpi's clients, and fails safely."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lerobot.core.config import load
from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import ConfigError, DeviceConnectionError, FeatureMismatchError, LeRobotError
from lerobot.core.protocols import ActingPolicy, Place
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.chunks import ObservationHistory
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.served.checkpoint import ServedCheckpoint
from lerobot.policies.served.config import ServedCheckpointConfig
from lerobot.remote.command import make_host
from lerobot.remote.commands.serve import ServeConfig
from lerobot.remote.device.policy import PolicyClient
from lerobot.remote.host.policy import PolicyHost
from lerobot.remote.wire.config import ConnectOptions, ListenOptions
from lerobot.remote.wire.errors import RefusedError
from lerobot.remote.wire.server import WireServer
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.remote.config import RemotePolicyConfig
from lerobot.rollout.remote.policy import RemotePolicy

JOINTS = 6
INPUTS = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(JOINTS,)),
    "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(JOINTS,))}
CAMERAS = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"


class LookingConfig(PreTrainedConfig):
    """A policy whose actions depend on every pixel, joint and observation of its window."""

    target = f"{__name__}:LookingPolicy"
    type: str = "looking"
    n_obs_steps: int = 2
    n_action_steps: int = 3
    normalization_mapping: dict[FeatureType, NormalizationMode] = {
        FeatureType.VISUAL: NormalizationMode.MEAN_STD,
        FeatureType.STATE: NormalizationMode.MEAN_STD,
        FeatureType.ACTION: NormalizationMode.MIN_MAX,
    }

    @property
    def executed_steps(self) -> int:
        return self.n_action_steps


class LookingPolicy(PreTrainedPolicy):
    def __init__(self, config: LookingConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        torch.manual_seed(0)
        size = JOINTS + 3 * 32 * 40
        self.layer = nn.Linear(config.n_obs_steps * size, 4 * JOINTS)
        self._history = ObservationHistory(config.input_features, config.n_obs_steps, self._seen)
        self._queue: list[Tensor] = []

    def _seen(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        parts = [batch[key].flatten(1) for key in self.config.input_features]
        return {"all": torch.cat(parts, dim=1)}

    def reset(self) -> None:
        self._history.reset()
        self._queue = []

    def _chunk(self, window: Mapping[str, Tensor]) -> Tensor:
        return torch.tanh(self.layer(window["all"].flatten(1))).view(-1, 4, JOINTS)

    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        self._history.add(batch)
        if not self._queue:
            self._queue = list(self._chunk(self._history.window())[:, : self.config.n_action_steps].unbind(1))
        return self._queue.pop(0)

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        return self._chunk(self._history.window_with(batch))

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def looking_is_registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "looking", LookingConfig)
        yield


@pytest.fixture
def looking(tmp_path: Path) -> Path:
    """A checkpoint of it."""
    config = LookingConfig(input_features=INPUTS, output_features=OUTPUTS, device="cpu")
    stats = {
        "observation.state": {"mean": torch.ones(JOINTS), "std": torch.full((JOINTS,), 2.0)},
        "observation.images.top": {"mean": torch.full((3,), 0.5), "std": torch.ones(3)},
        "action": {"min": torch.full((JOINTS,), -20.0), "max": torch.full((JOINTS,), 20.0)},
    }
    PolicyWithProcessors(config.build(), make_processors(config, stats)).save_pretrained(tmp_path / "looking")
    return tmp_path / "looking"


class Served:
    """A policy host in threads of this process; `kill` ends it as a process that is killed does."""

    def __init__(self, host: PolicyHost, port: int = 0) -> None:
        self.host = host
        self._server = WireServer(ListenOptions(port=port), host.handle)
        self._server.__enter__()
        self.port = self._server.port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        self._server.__exit__()

    def close(self) -> None:
        self.kill()
        stop = threading.Event()
        stop.set()
        self.host.run(stop)


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def serve(folder: Path, *flags: str, port: int = 0) -> Served:
            host = make_host(load(ServeConfig, [f"--policy.path={folder}", *flags]).config)
            assert isinstance(host, PolicyHost)
            served = Served(host, port)
            stack.callback(served.close)
            return served

        yield serve


def observations(count: int) -> list[dict[str, Any]]:
    """Frames as `PolicySource` gives them."""
    random = np.random.default_rng(0)
    return [
        {
            "observation.state": random.normal(size=JOINTS).astype(np.float32),
            "observation.images.top": random.integers(0, 256, (32, 40, 3), np.uint8),
            "task": "",
        }
        for _ in range(count)
    ]


PLACE = Place(
    "the table",
    {
        "observation.state": {"dtype": "float32", "shape": (JOINTS,), "names": None},
        "observation.images.top": {"dtype": "video", "shape": (32, 40, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (JOINTS,), "names": None},
    },
)


def act(policy: ActingPolicy, count: int = 8) -> list[NDArray[np.float32]]:
    return [policy.select_action(frame) for frame in observations(count)]


def here(folder: Path) -> TrainedPlayer:
    return TrainedPlayer(PolicyWithProcessors.from_pretrained(folder))


@pytest.fixture
def remote() -> Iterator[Callable[..., RemotePolicy]]:
    made: list[RemotePolicy] = []

    def remote(address: str, **fields: Any) -> RemotePolicy:
        made.append(RemotePolicy(RemotePolicyConfig(address=address, image_format="png", **fields), PLACE))
        return made[-1]

    yield remote
    for policy in made:
        policy.close()


def test_a_served_policy_acts_as_it_would_here(looking: Path, serve, remote) -> None:
    """Over the windows of its observations and the steps of its chunks."""
    far = remote(serve(looking).address)
    assert isinstance(far, ActingPolicy)
    found, expected = act(far), act(here(looking))
    assert len({tuple(action.tolist()) for action in expected}) == len(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_window_is_answered_as_it_would_be_here(looking: Path, serve, remote) -> None:
    """Whoever predicts ahead of the robot gives whole windows; of the first observation alone, too."""
    far, local = remote(serve(looking).address), here(looking)
    assert far.observation_steps == local.observation_steps == 2
    for window in (observations(2), observations(1)):
        np.testing.assert_allclose(far.predict_chunk(window), local.predict_chunk(window), rtol=0, atol=1e-5)


def test_an_episode_begins_anew(looking: Path, serve, remote) -> None:
    far = remote(serve(looking).address)
    first = act(far, 4)
    far.reset()
    np.testing.assert_allclose(act(far, 4), first, rtol=0, atol=1e-6)


def test_copies_have_connections_of_their_own(looking: Path, serve, remote) -> None:
    far = remote(serve(looking).address)
    other = far.copy()
    np.testing.assert_allclose(act(far, 3), act(other, 3), rtol=0, atol=1e-6)
    other.close()
    assert len(act(far, 3)) == 3


def test_keys_can_be_renamed(looking: Path, serve, remote) -> None:
    front = "observation.images.front"
    features = {front if key.endswith("top") else key: feature for key, feature in PLACE.features.items()}
    place = replace(PLACE, features=features, rename_map={front: "observation.images.top"})
    config = RemotePolicyConfig(address=serve(looking).address, image_format="png")
    frames = [{front if key.endswith("top") else key: each for key, each in frame.items()} for frame in observations(3)]
    with closing(RemotePolicy(config, place)) as far:
        found = [far.select_action(frame) for frame in frames]
    np.testing.assert_allclose(found, act(here(looking), 3), rtol=0, atol=1e-5)


def test_fewer_steps_may_be_executed(looking: Path, serve, remote) -> None:
    steps = act(remote(serve(looking).address, n_action_steps=1), 3)
    assert not np.array_equal(steps[1], act(remote(serve(looking).address), 3)[1])
    with pytest.raises(FeatureMismatchError, match="holds 4 actions"):
        act(remote(serve(looking).address, n_action_steps=9), 1)


def test_chunks_of_a_server_cannot_be_continued(looking: Path, serve, remote) -> None:
    with pytest.raises(LeRobotError, match="a remote policy cannot be continued"):
        remote(serve(looking).address).require_continuing(RTCConfig())


# --- on a robot ------------------------------------------------------------------------------------------------------


def drive(address: str, *flags: str) -> int:
    fixed = ["--policy.type=remote", f"--policy.address={address}", "--robot.type=fake", "--fps=50", CAMERAS]
    return rollout(load(RolloutConfig, [*fixed, "--return_to_initial_position=false", *flags]).config)


def test_a_served_policy_drives_a_robot(tmp_path: Path, arm: PolicyWithProcessors, serve, robots: list[Any]) -> None:
    arm.save_pretrained(tmp_path / "trained")
    assert drive(serve(tmp_path / "trained").address, "--duration=0.5", "--safety.ramp_s=0") == 0
    sent = [entry.values for entry in robots[0].log if entry.event == "command"]
    assert sent[-1]["shoulder_pan.pos"] > 1.0
    assert robots[0].log[-1].event == "torque off"


def test_a_served_policy_is_asked_ahead(tmp_path: Path, arm: PolicyWithProcessors, serve, robots: list[Any]) -> None:
    arm.save_pretrained(tmp_path / "trained")
    flags = ["--duration=0.5", "--safety.ramp_s=0", "--inference.type=async"]
    assert drive(serve(tmp_path / "trained").address, *flags) == 0
    assert any(entry.values["shoulder_pan.pos"] > 1.0 for entry in robots[0].log if entry.event == "command")
    assert robots[0].log[-1].event == "torque off"


def test_a_robot_that_does_not_fit_is_never_connected(looking: Path, serve, robots: list[Any]) -> None:
    served = serve(looking)
    flags = ["--policy.type=remote", f"--policy.address={served.address}", "--robot.type=fake"]
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        rollout(load(RolloutConfig, flags).config)
    assert not robots[0].log


def test_no_server_is_said_before_anything_moves(robots: list[Any]) -> None:
    with pytest.raises(DeviceConnectionError, match="cannot be reached"):
        drive("127.0.0.1:1")
    assert not robots[0].log


def test_a_server_that_is_killed_ends_the_run_in_the_safe_state(
    tmp_path: Path, arm: PolicyWithProcessors, serve, robots: list[Any]
) -> None:
    arm.save_pretrained(tmp_path / "trained")
    served = serve(tmp_path / "trained")

    def kill_when_it_moves() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and not (robots and len(robots[0].log) > 10):
            time.sleep(0.01)
        served.kill()

    killer = threading.Thread(target=kill_when_it_moves)
    killer.start()
    with pytest.raises(DeviceConnectionError):
        drive(served.address, "--duration=60", "--policy.reply_timeout_s=0.3")
    killer.join()
    assert robots[0].log[-1].event == "torque off"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_forty_kills_at_any_moment_end_in_the_safe_state(
    tmp_path: Path, arm: PolicyWithProcessors, serve, robots: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Some come back at once, and the run may go on; all that counts is how it ends."""
    arm.save_pretrained(tmp_path / "trained")
    chance = np.random.default_rng(0)
    for number in range(40):
        served = serve(tmp_path / "trained")
        commands, comes_back = int(chance.integers(1, 40)), bool(chance.integers(2))

        def kill(served: Served = served, after: int = commands, again: bool = comes_back, seen: int = number) -> None:
            until = time.monotonic() + 30
            while time.monotonic() < until and not (len(robots) > seen and len(robots[seen].log) > after):
                time.sleep(0.002)
            served.kill()
            if again:
                serve(tmp_path / "trained", port=served.port)

        killer = threading.Thread(target=kill)
        killer.start()
        inference = "async" if number % 2 else "sync"
        flags = ["--duration=0.7", "--safety.ramp_s=0", "--policy.reply_timeout_s=0.3", f"--inference.type={inference}"]
        with suppress(LeRobotError):
            drive(served.address, *flags)
        killer.join()
        assert robots[number].log[-1].event == "torque off"
        assert not [record for record in caplog.records if record.exc_info]


def test_a_server_that_comes_back_is_asked_again(looking: Path, serve, remote) -> None:
    served = serve(looking)
    far = remote(served.address)
    act(far, 1)
    served.kill()
    serve(looking, port=served.port)
    far.reset()
    assert len(act(far, 4)) == 4


def test_another_checkpoint_in_its_place_is_refused(looking: Path, serve, remote) -> None:
    served = serve(looking)
    far = remote(served.address)
    act(far, 1)
    served.kill()
    file = looking / "config.json"
    file.write_text(file.read_text().replace('"n_action_steps": 3', '"n_action_steps": 2'))
    serve(looking, port=served.port)
    with pytest.raises(RefusedError, match="another policy than before"):
        far.reset()


# --- clients of openpi -----------------------------------------------------------------------------------------------


@pytest.fixture
def ask(looking: Path, serve) -> Iterator[Callable[..., Any]]:
    flag = "--policy.rename_map={observation/image: observation.images.top, images/high: observation.images.top}"
    client = PolicyClient(ConnectOptions(address=serve(looking, flag).address))
    yield lambda **entries: client.infer({key.replace("__", "/"): value for key, value in entries.items()}, within_s=30)
    client.close()


IMAGE = np.random.default_rng(1).integers(0, 256, (32, 40, 3), np.uint8)
STATE = np.linspace(-1, 1, JOINTS)


def test_every_way_to_send_a_picture_is_the_same(ask) -> None:
    first = ask(observation__state=STATE, observation__image=IMAGE)
    assert first.shape == (4, JOINTS)
    channels_first = np.ascontiguousarray(IMAGE.transpose(2, 0, 1))
    for sent in (
        {"observation__image": channels_first},
        {"observation__image": IMAGE.astype(np.float32) / 255},
        {"images": {"high": IMAGE}},
    ):
        np.testing.assert_allclose(ask(observation__state=STATE, **sent), first, atol=1e-4)
    assert not np.allclose(ask(observation__state=STATE, observation__image=255 - IMAGE), first)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"observation__state": STATE}, "got no observation.images.top"),
        ({"observation__state": STATE[:3], "observation__image": IMAGE}, "the shape"),
        ({"observation__state": STATE * np.nan, "observation__image": IMAGE}, "no number"),
        ({"observation__state": "up", "observation__image": IMAGE}, "no array"),
        ({"observation__state": STATE, "observation__image": IMAGE[:8]}, "the shape"),
        ({"observation__state": STATE, "observation__image": IMAGE[0]}, "the shape"),
    ],
)
def test_what_does_not_fit_is_said(ask, sent: dict[str, Any], said: str) -> None:
    with pytest.raises(LeRobotError, match=said):
        ask(**sent)


# --- configuration ---------------------------------------------------------------------------------------------------


def test_a_remote_policy_has_no_weights_here() -> None:
    with pytest.raises(ConfigError, match="not a field of policy 'remote'"):
        load(
            RolloutConfig,
            ["--policy.type=remote", "--policy.address=h:1", "--policy.pretrained_path=x", "--robot.type=fake"],
        )


def test_the_hash_says_what_the_policy_is(looking: Path) -> None:
    def hashed() -> str:
        return str(ServedCheckpoint(ServedCheckpointConfig(checkpoint=str(looking))).description.facts["hash"])

    before = hashed()
    assert hashed() == before
    file = looking / "policy_preprocessor.json"
    file.write_text(file.read_text() + "\n")
    assert hashed() != before
