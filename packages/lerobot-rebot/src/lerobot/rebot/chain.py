"""The smart servos of one serial line, as a leader arm needs them: they are read and let go."""

import time
from collections.abc import Collection, Mapping

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.errors import MotorError
from lerobot.motors.finding import Finding, whole_line
from lerobot.motors.serial.port import SerialPort
from lerobot.rebot import packets
from lerobot.rebot.packets import Monitor

REPLY_WAIT_S = 0.03
"""How long answers are waited for before those that are missing are asked for again: a servo needs less than one
millisecond, a USB adapter up to 16, a busy computer more."""
TRIES = 8
PAUSE_S = 0.01
"""How long a servo takes over a command that it does not answer."""
ORIGIN_ERROR_DEG = 3.0
"""A hand that holds the arm moves it by less meanwhile."""
MONITOR_BYTES = 21
PINGS = 3
LATE_S = 4 * REPLY_WAIT_S
"""Time after which an answer is taken for lost."""


class SmartServoChain:
    """Smart servos, addressed by name.

    Args:
        port: serial port.
        baudrate: bits per second.
        servos: id of each servo by name, in the order of the chain.
    """

    def __init__(self, port: str, baudrate: int, servos: Mapping[str, int]) -> None:
        self.port = port
        self.servos = dict(servos)
        self._names = {servo_id: name for name, servo_id in servos.items()}
        self._serial = SerialPort(port, baudrate, reply_wait_s=REPLY_WAIT_S)
        self._buffer = bytearray()
        self._unsettled: set[int] = set()
        """Servos that missed an answer, which may come yet and be taken for the answer to the next question."""
        self._pinged: dict[int, float] = {}
        """When the ping was sent that such a servo has not answered yet."""

    @property
    def is_open(self) -> bool:
        """Whether the line is open; False too after it was lost."""
        return self._serial.is_open

    def open(self) -> None:
        """Open the line.

        Raises:
            DeviceConnectionError: it cannot be opened; says why.
        """
        self._serial.open()
        self._buffer.clear()
        self._unsettled.clear()
        self._pinged.clear()

    def close(self) -> None:
        """Close the line; calling it again does nothing."""
        self._serial.close()

    def require_servos(self) -> None:
        """Check that every servo is there.

        Raises:
            MotorError: servos do not answer, which are named.
            DeviceConnectionError: the line was lost.
        """
        if missing := [name for name in self.servos if not self._answers(name, TRIES)]:
            raise MotorError(
                "; ".join(f"Servo not found for {name} (id={self.servos[name]})" for name in missing) + ".",
                device=self.port,
                hint="Check the supply of the servos, and the cable of the first one named.",
            )

    def release(self) -> None:
        """Take torque from every servo, so that the arm can be moved by hand."""
        for servo_id in self.servos.values():
            self._tell(packets.STOP, bytes([servo_id]) + packets.RELEASE)

    def reset_turns(self) -> None:
        """Have every servo count its turns from the one it is in; its origin stays."""
        for servo_id in self.servos.values():
            self._tell(packets.RESET_TURNS, bytes([servo_id]))

    def set_origin(self) -> None:
        """Make the present pose the origin of every servo; they keep it without a supply.

        Raises:
            MotorError: a servo did not take it, which is named.
        """
        for servo_id in self.servos.values():
            self._tell(packets.STOP, bytes([servo_id]) + packets.RELEASE)
            self._tell(packets.SET_ORIGIN, bytes([servo_id, 0]))
        elsewhere = {name: state.angle for name, state in self.read().items() if abs(state.angle) > ORIGIN_ERROR_DEG}
        if elsewhere:
            told = ", ".join(f"{name} is at {angle:.1f} degrees" for name, angle in elsewhere.items())
            raise MotorError(f"The present pose was not taken as zero: {told}.", device=self.port)

    def read(self) -> dict[str, Monitor]:
        """What every servo measures now.

        An answer that comes too late is thrown away and not taken for the next one, unless it is later than `LATE_S`.

        Raises:
            DeviceConnectionError: servos did not answer, which are named, or the line was lost.
        """
        states: dict[int, Monitor] = {}
        for _ in range(TRIES):
            self._settle()
            wanted = [servo_id for servo_id in self._names if servo_id not in states.keys() | self._unsettled]
            if wanted:
                states |= self._ask_states(wanted)
            if len(states) == len(self._names):
                return {name: states[servo_id] for name, servo_id in self.servos.items()}
        silent = ", ".join(name for name, servo_id in self.servos.items() if servo_id not in states)
        raise DeviceConnectionError(
            f"Failed to read the arm after {TRIES} tries. On port '{self.port}' {silent} did not answer.",
            device=self.port,
            hint="Check the supply of the servos and the cable of the first one named.",
        )

    def diagnose(self) -> list[Finding]:
        """What is wrong with the line while it is not open; nothing moves and nothing is written."""
        try:
            self.open()
            silent = [name for name in self.servos if not self._answers(name, PINGS)]
        except DeviceConnectionError as error:
            return [Finding("port", "", 0, error.what, error.hint)]
        finally:
            self.close()
        places = {name: place for place, name in enumerate(self.servos, start=1)}
        hint = "Check its plugs and its id."
        found = [Finding("missing", name, places[name], "it does not answer.", hint) for name in silent]
        return whole_line(list(self.servos), found)

    # --- questions and answers ---------------------------------------------------------------------------------------

    def _answers(self, name: str, tries: int) -> bool:
        servo_id = self.servos[name]
        return any(
            self._ask(packets.request(packets.PING, bytes([servo_id])), packets.PING, [servo_id]) for _ in range(tries)
        )

    def _ask_states(self, ids: list[int]) -> dict[int, Monitor]:
        came = self._ask(packets.sync_monitor(ids), packets.MONITOR, ids)
        self._unsettled |= set(ids) - came.keys()
        read = {servo_id: packets.read_monitor(content) for servo_id, content in came.items()}
        return {servo_id: state for servo_id, state in read.items() if state is not None}

    def _settle(self) -> None:
        """Ping servos that missed an answer: they answer in order, so what comes after the ping's is no old one."""
        for servo_id in sorted(self._unsettled):
            question = b""
            if time.monotonic() - self._pinged.get(servo_id, -LATE_S) >= LATE_S:
                question = packets.request(packets.PING, bytes([servo_id]))
                self._pinged[servo_id] = time.monotonic()
            if self._ask(question, packets.PING, [servo_id]):
                self._unsettled.discard(servo_id)
                self._pinged.pop(servo_id, None)

    def _ask(self, question: bytes, code: int, ids: Collection[int]) -> dict[int, bytes]:
        """Ask once, and collect what servos answer until all did or it took too long; their content by id."""
        self._require_open()
        self._serial.writePort(list(question))
        answers: dict[int, bytes] = {}
        deadline_s = time.monotonic() + REPLY_WAIT_S
        while len(answers) < len(ids) and time.monotonic() < deadline_s:
            # No more than is missing: a longer read would wait for what does not come.
            length = MONITOR_BYTES * (len(ids) - len(answers)) if code == packets.MONITOR else packets.OVERHEAD + 1
            self._buffer += self._serial.readPort(max(1, length - len(self._buffer)))
            while (packet := packets.take(self._buffer, packets.REPLY)) is not None:
                if packet.code == code and packet.content and packet.content[0] in ids:
                    answers.setdefault(packet.content[0], packet.content)
        return answers

    def _tell(self, code: int, content: bytes) -> None:
        """Command something that is not answered."""
        self._require_open()
        self._serial.writePort(list(packets.request(code, content)))
        time.sleep(PAUSE_S)

    def _require_open(self) -> None:
        if not self.is_open:
            raise self._serial.not_open(f"The servo line on port '{self.port}'")
