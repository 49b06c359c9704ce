"""A virtual Reachy 2: the vendor's gRPC services, with joints that move and cameras that see a moving bar.

`python -m lerobot.reachy2.virtual --port=50051 --video_port=50065` runs one, for clients of any kind.
"""

# ruff: noqa: N802 - the methods of the services have the names that the vendor gave them

import argparse
import functools
import io
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
import numpy as np
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import BoolValue, FloatValue
from PIL import Image
from reachy2_sdk_api import (
    arm_pb2_grpc,
    hand_pb2_grpc,
    head_pb2_grpc,
    reachy_pb2,
    reachy_pb2_grpc,
    video_pb2,
    video_pb2_grpc,
)
from reachy2_sdk_api import mobile_base_mobility_pb2 as mobility_pb2
from reachy2_sdk_api import mobile_base_mobility_pb2_grpc as mobility_pb2_grpc
from reachy2_sdk_api import mobile_base_utility_pb2 as utility_pb2
from reachy2_sdk_api import mobile_base_utility_pb2_grpc as utility_pb2_grpc

from lerobot.reachy2.virtual_body import VirtualBody, goal_of

PICTURE_HZ = 30.0
WIDTH, HEIGHT = 640, 480

_ORBITA2D = {"shoulder": {"axis_1": "PITCH", "axis_2": "ROLL"}, "elbow": {"axis_1": "YAW", "axis_2": "PITCH"}}


def _part(number: int, name: str) -> dict[str, Any]:
    return {"part_id": {"id": number, "name": name}}


def _arm(number: int, name: str) -> dict[str, Any]:
    ids = {component: {"id": {"id": number + i}} for i, component in enumerate(("shoulder", "elbow", "wrist"), start=1)}
    return _part(number, name) | {"description": {key: each | _ORBITA2D.get(key, {}) for key, each in ids.items()}}


DESCRIPTION = {
    "id": {"id": 1, "name": "reachy"},
    "l_arm": _arm(1, "l_arm"),
    "r_arm": _arm(5, "r_arm"),
    "head": _part(9, "head")
    | {"description": {"neck": {"id": {"id": 10}}, "l_antenna": {"id": {"id": 11}}, "r_antenna": {"id": {"id": 12}}}},
    "l_hand": _part(13, "l_hand") | {"type": "PARALLEL_GRIPPER"},
    "r_hand": _part(14, "r_hand") | {"type": "PARALLEL_GRIPPER"},
    "mobile_base": _part(15, "mobile_base"),
    "info": {"serial_number": "virtual", "version_hard": "1", "version_soft": "1", "api_version": "1.0.21"},
}
"""What it says it is made of."""


class VirtualReachy:
    """A virtual robot's servers; a context manager.

    Args:
        port: of its services; 0 takes any that is free.
        video_port: of its cameras; likewise.
        clock_ahead_s: by how much its clock is ahead of this computer's, seconds.

    Attributes:
        body: what moves.
        port: of its services, once entered.
        video_port: of its cameras, once entered.
        asked: every question but those for its state, in order: the method and the message.
        before: called with the method before each answer; it may wait, or raise what is refused.
        after: called with the method and the answer; it gives the answer that is sent.
    """

    def __init__(self, port: int = 0, video_port: int = 0, *, clock_ahead_s: float = 0.0) -> None:
        self.port, self.video_port = port, video_port
        self.body = VirtualBody()
        self.asked: list[tuple[str, Any]] = []
        self.before: Callable[[str], object] = lambda _method: None
        self.after: Callable[[str, Any], Any] = lambda _method, reply: reply
        self.clock_ahead_s = clock_ahead_s
        self._servers: list[grpc.Server] = []

    def __enter__(self) -> Self:
        services, video = (grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)]) for _ in range(2))
        reachy_pb2_grpc.add_ReachyServiceServicer_to_server(_Reachy(self), services)
        arm_pb2_grpc.add_ArmServiceServicer_to_server(_Arm(self), services)
        hand_pb2_grpc.add_HandServiceServicer_to_server(_Hand(self), services)
        head_pb2_grpc.add_HeadServiceServicer_to_server(_Head(self), services)
        utility_pb2_grpc.add_MobileBaseUtilityServiceServicer_to_server(_Utility(self), services)
        mobility_pb2_grpc.add_MobileBaseMobilityServiceServicer_to_server(_Mobility(self), services)
        video_pb2_grpc.add_VideoServiceServicer_to_server(_Video(self), video)
        self.port = services.add_insecure_port(f"127.0.0.1:{self.port}")
        self.video_port = video.add_insecure_port(f"127.0.0.1:{self.video_port}")
        self._servers = [services, video]
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone, as a robot whose cable is cut."""
        for server in self._servers:
            server.stop(grace=None).wait()
        self._servers = []

    def answer(self, method: str, request: Any, reply: Callable[[], Any]) -> Any:
        """Answer a question."""
        if not method.startswith("Get") or method in ("GetReachy", "GetAvailableCameras"):
            self.asked.append((method, request))
            del self.asked[:-1000]
        self.before(method)
        with self.body.lock:
            self.body.move()
            return self.after(method, reply())

    def now(self) -> Any:
        """What its clock shows."""
        timestamp = Timestamp()
        timestamp.FromNanoseconds(time.time_ns() + int(self.clock_ahead_s * 1e9))
        return timestamp


def _answered(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Let a servicer's method be answered by its robot."""

    @functools.wraps(method)
    def handle(servicer: "_Servicer", request: Any, _context: Any) -> Any:
        return servicer.robot.answer(method.__name__, request, lambda: method(servicer, request))

    return handle


class _Servicer:
    def __init__(self, robot: VirtualReachy) -> None:
        self.robot = robot


class _Reachy(_Servicer, reachy_pb2_grpc.ReachyServiceServicer):  # type: ignore[misc]
    @_answered
    def GetReachy(self, _request: Any) -> Any:
        return ParseDict(DESCRIPTION, reachy_pb2.Reachy())

    @_answered
    def GetReachyState(self, _request: Any) -> Any:
        state = reachy_pb2.ReachyState(timestamp=self.robot.now())
        for joint in self.robot.body.joints.values():
            joint.write(state)
        for group in ("l_arm", "r_arm", "head", "mobile_base"):
            getattr(state, f"{group}_state").activated = True
        state.mobile_base_state.zuuu_mode.mode = self.robot.body.base_mode
        return state

    @_answered
    def SendComponentsCommands(self, request: Any) -> Any:
        for joint in self.robot.body.joints.values():
            goal = goal_of(request, joint.joint)
            if goal is not None:
                joint.command(goal)
        return Empty()


class _Part(_Servicer):
    """Arms, hands or the head, which are told apart by the name of the part."""

    def _switch(self, part: Any, *, compliant: bool) -> Any:
        for joint in self.robot.body.of_group(part.name):
            joint.compliant = compliant
        return Empty()

    @_answered
    def TurnOn(self, request: Any) -> Any:
        return self._switch(request, compliant=False)

    @_answered
    def TurnOff(self, request: Any) -> Any:
        return self._switch(request, compliant=True)

    @_answered
    def SetSpeedLimit(self, request: Any) -> Any:
        for joint in self.robot.body.of_group(request.id.name):
            joint.speed = request.limit / 100
        return Empty()

    @_answered
    def SetTorqueLimit(self, _request: Any) -> Any:
        return Empty()


class _Arm(_Part, arm_pb2_grpc.ArmServiceServicer):  # type: ignore[misc]
    pass


class _Hand(_Part, hand_pb2_grpc.HandServiceServicer):  # type: ignore[misc]
    pass


class _Head(_Part, head_pb2_grpc.HeadServiceServicer):  # type: ignore[misc]
    pass


class _Utility(_Servicer, utility_pb2_grpc.MobileBaseUtilityServiceServicer):  # type: ignore[misc]
    @_answered
    def SetZuuuMode(self, request: Any) -> Any:
        self.robot.body.base_mode = request.mode
        return mobility_pb2.MobilityServiceAck(success=BoolValue(value=True))

    @_answered
    def GetZuuuMode(self, _request: Any) -> Any:
        return utility_pb2.ZuuuModeCommand(mode=self.robot.body.base_mode)

    @_answered
    def GetOdometry(self, _request: Any) -> Any:
        vx, vy, vtheta = (FloatValue(value=each) for each in self.robot.body.velocity)
        return utility_pb2.OdometryVector(vx=vx, vy=vy, vtheta=vtheta)


class _Mobility(_Servicer, mobility_pb2_grpc.MobileBaseMobilityServiceServicer):  # type: ignore[misc]
    @_answered
    def SendDirection(self, request: Any) -> Any:
        direction = request.direction
        self.robot.body.drive(direction.x.value, direction.y.value, direction.theta.value)
        return mobility_pb2.MobilityServiceAck(success=BoolValue(value=True))

    @_answered
    def GetLastDirection(self, _request: Any) -> Any:
        x, y, theta = (FloatValue(value=each) for each in self.robot.body.direction)
        return mobility_pb2.DirectionVector(x=x, y=y, theta=theta)


class _Video(_Servicer, video_pb2_grpc.VideoServiceServicer):  # type: ignore[misc]
    """Cameras that see a bar go round, once a second."""

    @_answered
    def GetAvailableCameras(self, _request: Any) -> Any:
        return video_pb2.ListOfCameraFeatures(
            camera_feat=[
                video_pb2.CameraFeatures(name="teleop_head", stereo=True),
                video_pb2.CameraFeatures(name="depth_camera", depth=True),
            ]
        )

    def _number(self) -> tuple[int, Any]:
        """The number of the picture there is now, and when it was taken."""
        number = int(time.time() * PICTURE_HZ)
        timestamp = Timestamp()
        timestamp.FromNanoseconds(int((number / PICTURE_HZ + self.robot.clock_ahead_s) * 1e9))
        return number, timestamp

    @_answered
    def GetFrame(self, request: Any) -> Any:
        number, timestamp = self._number()
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        pixels[:, :, 0 if request.view == video_pb2.View.LEFT else 2] = 200
        pixels[:, number % int(PICTURE_HZ) * 20 :][:, :20] = 255
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "jpeg", quality=80)
        return video_pb2.Frame(timestamp=timestamp, data=file.getvalue())

    @_answered
    def GetDepth(self, _request: Any) -> Any:
        number, timestamp = self._number()
        millimetres = np.full((HEIGHT, WIDTH), 1500, "<u2")
        millimetres[:, number % int(PICTURE_HZ) * 20 :][:, :20] = 700
        return video_pb2.FrameRaw(
            timestamp=timestamp,
            data=millimetres.tobytes(),
            height=HEIGHT,
            width=WIDTH,
            step=2 * WIDTH,
            encoding="16UC1",
        )


def main() -> None:
    """Run a virtual robot until a signal comes; its ports are the first line that is printed."""
    parser = argparse.ArgumentParser(description="A virtual Reachy 2.")
    parser.add_argument("--port", type=int, default=50051, help="port of its services; 0 takes one that is free")
    parser.add_argument("--video_port", type=int, default=50065, help="port of its cameras; likewise")
    options = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there are threads, so that none of them takes the signal
    with VirtualReachy(options.port, options.video_port) as robot:
        sys.stdout.write(f"{robot.port} {robot.video_port}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
