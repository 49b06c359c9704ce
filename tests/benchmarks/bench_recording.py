"""How fast two 640x480 cameras are recorded, against the peer's two ways, in one run on the same pictures.

Usage: bench_recording.py [--codecs]      (LEROBOT_PEER_PYTHON names the peer's interpreter)

Frames are added as fast as they are taken: 1.0 times real time is 30 rows, so 60 pictures, per second. The process
time says how much of the machine is left for the control loop. `--codecs` compares encoder settings instead.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FPS, FRAMES, EPISODES = 30, 150, 2
HEIGHT, WIDTH = 480, 640
CAMERAS = ("observation.images.left", "observation.images.right")
FEATURES = {
    "observation.state": {"dtype": "float32", "shape": (6,), "names": [f"j{i}" for i in range(6)]},
    "action": {"dtype": "float32", "shape": (6,), "names": [f"j{i}" for i in range(6)]},
    **{
        key: {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
        for key in CAMERAS
    },
}


def pictures() -> list[np.ndarray]:
    """A moving scene with edges, shading and sensor noise; the same in every process."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    result = []
    for k in range(60):
        shade = 90 + 60 * np.sin(columns / 90) * np.cos(rows / 70)
        disc = 80.0 * ((columns - 320 - 200 * np.sin(k / 10)) ** 2 + (rows - 240) ** 2 < 70**2)
        stripes = 30.0 * (((columns + 3 * k) // 24 + rows // 24) % 2)
        grey = (shade + disc + stripes)[..., None] * np.array([1.0, 0.9, 0.8])
        result.append(np.clip(grey + rng.normal(0, 3, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8))
    return result


def frame(scene: list[np.ndarray], k: int) -> dict[str, object]:
    state = np.full(6, k, np.float32)
    left, right = scene[k % len(scene)], scene[(k + 30) % len(scene)]
    return {"observation.state": state, "action": state, CAMERAS[0]: left, CAMERAS[1]: right, "task": "bench"}


def record(kind: str, root: Path) -> None:
    """Record with one of the ways and print what it took; runs in a process of its own."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    extra = {"streaming_encoding": True} if kind == "peer streaming" else {}
    dataset = LeRobotDataset.create("bench/recording", FPS, FEATURES, root=root, **extra)
    scene = pictures()
    wall, cpu, saves = time.perf_counter(), sum(os.times()[:4]), []
    for _ in range(EPISODES):
        for k in range(FRAMES):
            dataset.add_frame(frame(scene, k))
        begun = time.perf_counter()
        dataset.save_episode()
        saves.append(time.perf_counter() - begun)
    wall, cpu = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
    begun = time.perf_counter()
    dataset.finalize()
    finalized = time.perf_counter() - begun
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    size = sum(path.stat().st_size for path in root.rglob("*.mp4"))
    real = EPISODES * FRAMES / FPS
    sys.stdout.write(
        f"{kind:15s} {real / wall:6.2f} x real time   {cpu / real:5.2f} cores busy per second of data   "
        f"save {max(saves):6.3f} s   finalize {finalized:6.2f} s   {size / 1e6:6.1f} MB of video   "
        f"peak {peak:5.0f} MB\n"
    )


def compare_codecs() -> None:
    """Speed, size and quality of encoder settings, one thread."""
    import av

    from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
    from lerobot.datasets.video.encoder_config import RGBEncoderConfig

    scene = pictures()
    for settings in (
        {"vcodec": "h264"},
        {"vcodec": "h264", "preset": "superfast"},
        {"vcodec": "h264", "preset": "veryfast"},
        {"vcodec": "libsvtav1"},
        {"vcodec": "libsvtav1", "preset": 13},
        {"vcodec": "hevc"},
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "video.mp4")
            encoder = VideoFileEncoder(path, frame_rate(FPS), HEIGHT, WIDTH, RGBEncoderConfig.model_validate(settings))
            begun = time.process_time()
            for picture in scene:
                encoder.add(picture)
            encoder.close()
            rate, size = len(scene) / (time.process_time() - begun), path.stat().st_size / len(scene) / 1024
            with av.open(str(path)) as container:
                decoded = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
        error = np.mean([(np.float64(a) - b) ** 2 for a, b in zip(scene, decoded, strict=True)])
        quality = 10 * np.log10(255**2 / error)
        sys.stdout.write(f"{settings!s:48s} {rate:5.0f} pictures/s   {size:5.1f} kB   {quality:.1f} dB\n")


def main() -> None:
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2], Path(sys.argv[3]))
        return
    if "--codecs" in sys.argv:
        compare_codecs()
        return
    ways = [("ours", sys.executable)]
    if peer := os.environ.get("LEROBOT_PEER_PYTHON"):
        ways += [("peer streaming", peer), ("peer default", peer)]
    for kind, python in ways:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "HF_HUB_OFFLINE": "1", "SVT_LOG": "1", "HF_HOME": str(Path(folder, "hf"))}
            command = [python, __file__, "--record", kind, str(Path(folder, "set"))]
            subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
