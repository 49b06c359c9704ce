"""Policies behind the wire: openpi's clients and servers, written here from the facts about them, and every fault."""

import base64
import hashlib
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect
from websockets.sync.server import serve as listen

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError, FeatureMismatchError, LeRobotError
from lerobot.core.types import FeatureSpec
from lerobot.remote.device.policy import PolicyClient
from lerobot.remote.host.policy import PolicyHost
from lerobot.remote.openpi import LAYOUTS, resize_with_pad
from lerobot.remote.wire.config import ConnectOptions
from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.handshake import OURS, Description

CAPTURES = Path(__file__).resolve().parents[4] / "shared/data/golden/openpi_wire"
needs_captures = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures of openpi's wire are not here")
LONG_S = 30.0


class Doubling:
    """A policy: the state and its double, as two actions."""

    def __init__(self, hash_: str = "a" * 32) -> None:
        self.hash = hash_
        self.asked: list[Mapping[str, Any]] = []
        self.threads: set[int] = set()
        self.resets = 0
        self.takes_s = 0.0

    @property
    def description(self) -> Description:
        facts = {"hash": self.hash, "horizon": 2, "n_obs_steps": 1, "executed_steps": 2, "resizes_images": False}
        state = {"observation.state": FeatureSpec("float32", (3,))}
        return Description(
            "policy", "doubling", {"observation": state, "action": {"action": FeatureSpec(shape=(3,))}}, facts
        )

    def warm_up(self) -> None:
        self.threads.add(threading.get_ident())

    def reset(self) -> None:
        self.resets += 1

    def infer(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(observation)
        self.threads.add(threading.get_ident())
        time.sleep(self.takes_s)
        if observation.get("prompt") == "break":
            raise ZeroDivisionError("broken on demand")
        if (state := observation.get("observation.state", observation.get("observation/state"))) is None:
            raise FeatureMismatchError("the policy got no observation.state")
        return {"actions": np.stack([state, 2 * state]), "policy_timing": {"infer_ms": 1.0}}


@pytest.fixture
def policy() -> Doubling:
    return Doubling()


@pytest.fixture
def address(serve, policy: Doubling) -> str:
    return serve(PolicyHost(policy)).address


STATE = np.array([1.0, 2.0, 3.0], np.float32)


def ask(client: PolicyClient, within_s: float = LONG_S, **entries: Any) -> np.ndarray:
    return client.infer({"observation.state": STATE, **entries}, within_s=within_s)


@contextmanager
def asking(address: str, **fields: Any) -> Iterator[PolicyClient]:
    client = PolicyClient(ConnectOptions(address=address, **fields))
    try:
        yield client
    finally:
        client.close()


# --- our server, an openpi client -------------------------------------------------------------------------------------


def openpi_pack(value: Any) -> bytes:
    """As openpi's client packs, from the table of the layout."""

    def convert(array: Any) -> Any:
        if isinstance(array, np.ndarray):
            return {b"__ndarray__": True, b"data": array.tobytes(), b"dtype": array.dtype.str, b"shape": array.shape}
        raise TypeError

    return msgpack.packb(value, default=convert)


def openpi_unpack(packed: bytes) -> Any:
    def convert(entries: Any) -> Any:
        if b"__ndarray__" in entries:
            return np.frombuffer(entries[b"data"], entries[b"dtype"]).reshape(entries[b"shape"])
        return entries

    return msgpack.unpackb(packed, object_hook=convert)


def test_an_openpi_client_gets_metadata_and_actions(address: str) -> None:
    with connect(address, compression=None, max_size=None) as line:
        metadata = openpi_unpack(line.recv())
        assert metadata["policy_name"] == "doubling"
        assert (metadata["action_horizon"], metadata["action_dim"]) == (2, 3)
        for turn in range(2):
            line.send(openpi_pack({"observation/state": STATE, "prompt": "go"}))
            answer = openpi_unpack(line.recv())
            assert answer["actions"].tolist() == [[1, 2, 3], [2, 4, 6]]
            assert answer["actions"].dtype == np.float32
            assert answer["policy_timing"] == {"infer_ms": 1.0}
            assert ("prev_total_ms" in answer["server_timing"]) == (turn > 0)


@pytest.mark.parametrize("question", [{"prompt": "break"}, {"prompt": "nothing to go by"}])
def test_errors_come_as_openpi_clients_expect_them(address: str, question: dict[str, Any]) -> None:
    with connect(address, compression=None) as line:
        line.recv()
        line.send(openpi_pack(question))
        said = line.recv()
        assert isinstance(said, str)
        assert "Traceback" not in said
        assert ("broken on demand" in said) == (question["prompt"] == "break")
        with pytest.raises(ConnectionClosedError) as closed:
            line.recv()
        assert closed.value.rcvd.code == 1011


def test_an_episode_may_be_begun(address: str, policy: Doubling) -> None:
    with connect(address, compression=None) as line:
        line.recv()
        line.send(openpi_pack({"endpoint": "reset"}))
        assert openpi_unpack(line.recv()) == {"status": "reset successful"}
    assert policy.resets == 1


def test_one_thread_is_asked_whatever_the_clients(address: str, policy: Doubling) -> None:
    def one() -> None:
        with asking(address) as client:
            ask(client)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(policy.asked) == 4
    assert len(policy.threads) == 1
    assert threading.get_ident() not in policy.threads


def test_a_slow_policy_keeps_its_clients(policy: Doubling) -> None:
    """Pings are answered while it thinks: many times the time in which a client gives a silent server up."""
    from lerobot.remote.wire.config import ListenOptions
    from lerobot.remote.wire.server import WireServer

    policy.takes_s = 1.0
    host = PolicyHost(policy)
    with (
        WireServer(ListenOptions(port=0), host.handle, ping_s=0.1) as server,
        connect(server.address, compression=None, ping_interval=0.1, ping_timeout=0.1) as line,
    ):
        line.recv()
        line.send(openpi_pack({"observation/state": STATE}))
        assert openpi_unpack(line.recv(LONG_S))["actions"].shape == (2, 3)
    stop = threading.Event()
    stop.set()
    host.run(stop)


class Frames:
    """Reads the frames of a recorded or received stream, without any library; RFC 6455, section 5.2."""

    def __init__(self, data: bytes) -> None:
        head, _, self.rest = data.partition(b"\r\n\r\n")
        self.head = head.decode()

    def __iter__(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Code, payload, and the frame's bytes."""
        data = self.rest
        while len(data) >= 2:
            length, at = data[1] & 0x7F, 2
            if length == 126:
                (length,), at = struct.unpack(">H", data[2:4]), 4
            elif length == 127:
                (length,), at = struct.unpack(">Q", data[2:10]), 10
            mask, at = (data[at : at + 4], at + 4) if data[1] & 0x80 else (b"\0\0\0\0", at)
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data[at : at + length]))
            yield data[0] & 0x0F, payload, data[: at + length]
            data = data[at + length :]


@needs_captures
def test_the_recorded_client_is_answered(serve) -> None:
    """The bytes that openpi's own client once sent, against our server."""

    class Recorded(Doubling):
        def infer(self, observation: Mapping[str, Any]) -> dict[str, Any]:
            self.asked.append(observation)
            if observation["prompt"] == "raise":
                raise KeyError("observation/image")
            return {"actions": np.zeros((10, 8)), "policy_timing": {"infer_ms": 12.5}}

    policy = Recorded()
    host, port = serve(PolicyHost(policy)).address.removeprefix("ws://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.settimeout(LONG_S)
        recorded = Frames((CAPTURES / "session.c2s.tcp").read_bytes())
        line.sendall(f"{recorded.head}\r\n\r\n".encode())
        received = line.recv(65536)
        for _, _, frame in recorded:
            time.sleep(0.1)  # a client waits for the answer before it asks again
            line.sendall(frame)
        while data := line.recv(65536):
            received += data
    frames = Frames(received)
    assert "101 Switching Protocols" in frames.head
    codes = [(code, payload) for code, payload, _ in frames]
    assert [code for code, _ in codes] == [2, 2, 2, 2, 1, 8]
    assert struct.unpack(">H", codes[-1][1][:2]) == (1011,)
    assert [each["prompt"] for each in policy.asked] == [
        "pick up the cube",
        "open the drawer",
        "transfer cube",
        "raise",
    ]
    assert policy.asked[2]["images"]["cam_left_wrist"].shape == (3, 6, 8)


# --- our client, an openpi server ------------------------------------------------------------------------------------


@contextmanager
def openpi_server(answer: Callable[[bytes], Any], metadata: bytes = openpi_pack({})) -> Iterator[str]:
    def handle(line: Any) -> None:
        line.send(metadata)
        for question in line:
            line.send(answer(question))

    with listen(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@needs_captures
@pytest.mark.parametrize(
    ("question", "answer", "shape"),
    [
        ("01_c2s_droid_request", "02_s2c_droid_response", (10, 8)),
        ("03_c2s_libero_request", "04_s2c_libero_response", (10, 7)),
        ("05_c2s_aloha_request", "06_s2c_aloha_response", (50, 14)),
    ],
)
def test_recorded_questions_and_answers(question: str, answer: str, shape: tuple[int, int]) -> None:
    recorded = (CAPTURES / f"{question}.msgpack").read_bytes()
    seen = []

    def reply(asked: bytes) -> bytes:
        seen.append(asked)
        return (CAPTURES / f"{answer}.msgpack").read_bytes()

    with (
        openpi_server(reply, (CAPTURES / "00_s2c_metadata.msgpack").read_bytes()) as address,
        asking(address) as client,
    ):
        assert client.metadata["policy_name"] == "golden"
        actions = client.infer(openpi_unpack(recorded), within_s=LONG_S)
    assert seen == [recorded]
    assert (actions == np.arange(shape[0] * shape[1]).reshape(shape) / 100).all()


@needs_captures
def test_the_recorded_server_is_understood() -> None:
    """The bytes that the recorded server sent, one frame for each of ours; the last but one is its error as text."""
    frames = list(Frames((CAPTURES / "session.s2c.tcp").read_bytes()))

    def serve_recorded(listening: socket.socket) -> None:
        line, _ = listening.accept()
        with line:
            line.settimeout(LONG_S)
            request = b""
            while b"\r\n\r\n" not in request:
                request += line.recv(4096)
            key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            line.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frames[0][2]
            )
            for _, _, frame in frames[1:5]:
                line.recv(65536)
                line.sendall(frame)
            line.sendall(frames[5][2])
            while line.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve_recorded, args=[listening])
        thread.start()
        with asking(f"127.0.0.1:{listening.getsockname()[1]}") as client:
            assert [ask(client).shape for _ in range(3)] == [(10, 8), (10, 7), (50, 14)]
            with pytest.raises(RefusedError, match="KeyError: 'observation/image'"):
                ask(client)
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        {"actions": np.ones((4, 2))},
        {"action": np.ones((4, 2)), "video": 1},
        np.ones((4, 2)),
        {"actions": [[1.0, 1.0]] * 4},
    ],
    ids=["openpi", "cosmos", "bare", "lists"],
)
def test_every_form_of_actions_is_taken(answer: Any) -> None:
    with openpi_server(lambda _: openpi_pack(answer)) as address, asking(address) as client:
        assert (ask(client) == np.ones((4, 2))).all()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"actions": "up"},
        {"actions": np.ones(3)},
        {"actions": np.ones((0, 3))},
        {"actions": np.array([[np.nan]])},
        7,
        [],
    ],
)
def test_what_holds_no_actions_is_refused(answer: Any) -> None:
    server = openpi_server(lambda _: openpi_pack(answer))
    with server as address, asking(address) as client, pytest.raises(WireError):
        ask(client)


def test_sessions_are_named_where_a_server_wants_it() -> None:
    seen = []

    def reply(asked: bytes) -> Any:
        seen.append(openpi_unpack(asked))
        return "reset successful" if seen[-1]["endpoint"] == "reset" else openpi_pack(np.ones((2, 2)))

    with openpi_server(reply, openpi_pack({"needs_session_id": True})) as address, asking(address) as client:
        client.reset(within_s=LONG_S)
        ask(client)
    assert [each["endpoint"] for each in seen] == ["reset", "infer"]
    assert seen[0]["session_id"] == seen[1]["session_id"]


def test_a_server_that_says_nothing_is_given_up() -> None:
    with listen(lambda line: line.recv(), "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.socket.getsockname()[1]}"
        with pytest.raises(DeviceConnectionError, match="says nothing"), asking(address, connect_timeout_s=0.2):
            pass
        server.shutdown()
        thread.join()


# --- ours and ours, and faults ---------------------------------------------------------------------------------------


def test_ours_asks_ours(address: str, policy: Doubling) -> None:
    with asking(address) as client:
        assert client.description == policy.description
        assert ask(client).tolist() == [[1, 2, 3], [2, 4, 6]]
        client.reset(within_s=LONG_S)
    assert policy.resets == 1


def test_a_late_answer_is_never_taken_for_the_next_one(address: str, policy: Doubling) -> None:
    with asking(address) as client:
        policy.takes_s = 0.3
        with pytest.raises(DeviceTimeoutError):
            ask(client, within_s=0.1)
        policy.takes_s = 0.0
        assert ask(client, **{"observation.state": STATE + 1}).tolist()[0] == [2, 3, 4]
        assert client.reconnections == 1


def test_a_lost_connection_is_taken_up_again(address: str) -> None:
    from network import Network

    with Network(address) as network, asking(network.address) as client:
        ask(client)
        network.cut()
        assert ask(client).shape == (2, 3)
        assert client.reconnections == 1


@pytest.mark.parametrize("loss", [0.05, pytest.param(0.3, marks=pytest.mark.slow)])
def test_lost_messages_give_late_answers_and_never_wrong_ones(address: str, loss: float) -> None:
    from network import Network

    with Network(address, seed=1) as network, asking(network.address, connect_timeout_s=0.2) as client:
        network.loss = loss
        right = late = 0
        for number in range(30):
            try:
                actions = ask(client, within_s=0.1, **{"observation.state": STATE * number})
            except (DeviceTimeoutError, DeviceConnectionError, WireError):
                late += 1
            else:
                right += 1
                assert (actions[0] == STATE * number).all()
        assert right
        assert late


def test_another_policy_in_the_place_of_the_first_is_refused(policy: Doubling, address: str) -> None:
    with asking(address) as client:
        ask(client)
        client.close()
        policy.hash = "b" * 32
        with pytest.raises(RefusedError, match="another policy than before"):
            ask(client)


def test_a_server_that_is_gone_is_said() -> None:
    with openpi_server(lambda _: b"") as address:
        client = PolicyClient(ConnectOptions(address=address))
    with pytest.raises(DeviceConnectionError, match=r"cannot be reached|is gone"):
        ask(client, within_s=0.3)
    client.close()


@pytest.mark.parametrize("nonsense", [b"\xc1", b"\x90", msgpack.packb({OURS: "begin"}), msgpack.packb({OURS: 7})])
def test_nonsense_is_told_and_the_next_client_is_served(address: str, nonsense: bytes, caplog) -> None:
    caplog.set_level(logging.INFO)
    with connect(address, compression=None) as line:
        line.recv()
        line.send(nonsense)
        assert isinstance(line.recv(LONG_S), str)
    with asking(address) as client:
        assert ask(client).shape == (2, 3)
    assert not [record for record in caplog.records if record.exc_info]


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_layouts_are_those_of_the_public_policies() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    droid = LAYOUTS["droid"].observation(
        np.arange(8.0), {"observation/exterior_image_1_left": picture, "observation/wrist_image_left": picture}, "go"
    )
    assert droid["observation/joint_position"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert droid["observation/gripper_position"].tolist() == [7]
    assert droid["observation/wrist_image_left"].shape == (224, 224, 3)
    assert droid["prompt"] == "go"
    libero = LAYOUTS["libero"].observation(
        np.arange(8.0), {"observation/image": picture, "observation/wrist_image": picture}, "go"
    )
    assert set(libero) == {"observation/state", "observation/image", "observation/wrist_image", "prompt"}
    aloha = LAYOUTS["aloha"].observation(np.arange(14.0), {"cam_high": picture}, "go")
    assert set(aloha) == {"state", "images", "prompt"}
    assert aloha["images"]["cam_high"].shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("name", "size", "pictures", "said"),
    [
        ("droid", 7, {}, "the shape"),
        ("aloha", 14, {}, "cam_high"),
        ("aloha", 14, {"cam_high": 0, "front": 0}, "front are none of its cameras"),
    ],
)
def test_what_does_not_fit_a_layout_is_said(name: str, size: int, pictures: dict[str, int], said: str) -> None:
    shown = {key: np.zeros((4, 4, 3), np.uint8) for key in pictures}
    with pytest.raises(LeRobotError, match=said):
        LAYOUTS[name].observation(np.zeros(size), shown, "")


RESIZES = json.loads((CAPTURES / "resize_cases.json").read_text())["cases"] if CAPTURES.exists() else []


@needs_captures
@pytest.mark.parametrize("case", RESIZES, ids=lambda case: "x".join(map(str, case["in"])))
def test_pictures_are_made_smaller_as_openpi_does(case: dict[str, Any]) -> None:
    rows = np.full((*case["in"], 3), 200, np.uint8)
    found = resize_with_pad(rows, *case["out"])
    assert list(found.shape[:2]) == case["out"]
    filled = np.argwhere(found.any(axis=2))
    borders = [*filled.min(axis=0), *filled.max(axis=0)]
    assert borders == [case["first_row"], case["first_col"], case["last_row"], case["last_col"]]
