"""Several threads on one bus."""

import threading

from lerobot.feetech import FeetechMotorsBus
from lerobot.motors.virtual import VirtualBus


def test_threads_share_a_bus_without_mixing_answers(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    """Each thread writes its own motor's register and must read back exactly what it wrote."""
    arm.move({i: 1000 + i for i in range(1, 7)})
    expected = {name: 1000 + servo.id for name, servo in zip(arm.spec.names, arm.spec.servos, strict=True)}
    bus.port_handler.reply_wait_s = 5  # a busy machine that is slow to run the servos is no miss
    wrong: list[object] = []
    start = threading.Barrier(6)

    def work(name: str) -> None:
        start.wait()
        try:
            for value in range(80):
                bus.write("Acceleration", name, value)
                if (read := bus.read("Acceleration", name)) != value:
                    wrong.append((name, value, read))
                positions = bus.sync_read("Present_Position", normalize=False)
                if any(abs(positions[other] - expected[other]) > 0 for other in ("shoulder_pan", "elbow_flex")):
                    wrong.append((name, positions))
        except Exception as error:
            wrong.append(error)

    arm.move({1: 1001, 3: 1003})
    threads = [threading.Thread(target=work, args=(name,)) for name in arm.spec.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert bus.statistics.misses == 0
    assert bus.statistics.replies >= 6 * 80 * (2 + 6)
