"""Either end of a camera over ZeroMQ, of huggingface/lerobot.

Usage: python peer_zmq_camera.py serve PORT | show PORT NAME. `serve` publishes a picture that is all (200, 100, 50) and
needs no camera; `show` prints shape and first pixel of the first picture it gets, as JSON.
"""

import json
import sys
import time

import numpy as np


class StillCamera:
    """What its server takes a camera from OpenCV for."""

    def __init__(self, config: object) -> None:
        pass

    def connect(self) -> None:
        """Nothing is opened."""

    def disconnect(self) -> None:
        """Nothing is closed."""

    def read(self) -> np.ndarray:
        """The same picture, ten times a second."""
        time.sleep(0.1)
        return np.full((48, 64, 3), (200, 100, 50), np.uint8)


def serve(port: int) -> None:
    """Publish until the process is ended."""
    from lerobot.cameras.zmq import image_server

    image_server.OpenCVCamera = StillCamera
    image_server.ImageServer({"fps": 100, "cameras": {"head": {"shape": [48, 64]}}}, port=port).run()


def show(port: int, name: str) -> None:
    """Print what its client reads."""
    from lerobot.cameras.zmq import ZMQCamera, ZMQCameraConfig

    camera = ZMQCamera(ZMQCameraConfig(server_address="127.0.0.1", port=port, camera_name=name))
    camera.connect()
    image = camera.read()
    print(json.dumps({"shape": image.shape, "pixel": image[0, 0].tolist()}), flush=True)
    camera.disconnect()


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1] == "serve" else show(int(sys.argv[2]), sys.argv[3])
