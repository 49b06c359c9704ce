"""The peer's side of `bench_wire.py`, run by its interpreter: its gRPC service with a policy that answers at once.

Usage: peer_grpc_wire.py serve | ask ADDRESS
"""

import json
import multiprocessing
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import torch
from lerobot.async_inference.helpers import TimedAction, TimedObservation
from lerobot.transport import services_pb2, services_pb2_grpc
from lerobot.transport.utils import grpc_channel_options, receive_bytes_in_chunks, send_bytes_in_chunks

HORIZON, JOINTS = 50, 6


class Ready(services_pb2_grpc.AsyncInferenceServicer):
    """Takes an observation apart, and has its answer ready."""

    def __init__(self):
        self._going_on = multiprocessing.Event()

    def SendObservations(self, request_iterator, _context):
        received = receive_bytes_in_chunks(request_iterator, None, self._going_on, "observation")
        assert isinstance(pickle.loads(received), TimedObservation)
        return services_pb2.Empty()

    def GetActions(self, _request, _context):
        actions = [TimedAction(time.time(), step, torch.zeros(JOINTS)) for step in range(HORIZON)]
        return services_pb2.Actions(data=pickle.dumps(actions))


def serve():
    server = grpc.server(ThreadPoolExecutor(4))
    services_pb2_grpc.add_AsyncInferenceServicer_to_server(Ready(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


def pictures():
    """As in `bench_wire.pictures`."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:480, :640]
    smooth = np.stack([rows / 2, columns / 3, (rows + columns) / 5], axis=-1)
    noisy = [np.clip(smooth + random.normal(scale=4, size=smooth.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    return dict(zip(("front", "wrist"), noisy, strict=True))


def ask(address):
    stub = services_pb2_grpc.AsyncInferenceStub(grpc.insecure_channel(address, grpc_channel_options()))
    observation = {**pictures(), **{f"joint_{number}.pos": 0.0 for number in range(JOINTS)}, "task": "pick"}
    for line in sys.stdin:
        seconds = []
        for step in range(int(line)):
            begun_s = time.perf_counter()
            sent = pickle.dumps(TimedObservation(time.time(), step, observation, must_go=True))
            stub.SendObservations(send_bytes_in_chunks(sent, services_pb2.Observation))
            actions = pickle.loads(stub.GetActions(services_pb2.Empty()).data)
            assert len(actions) == HORIZON
            seconds.append(time.perf_counter() - begun_s)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else ask(sys.argv[2])
