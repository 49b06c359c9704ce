"""The line between commands and the studio, led through a place where a test can cut it."""

import contextlib
import json
import socket
import threading
from pathlib import Path


class CutLine:
    """Stands between, once a studio has written where it is.

    Args:
        file: where the studio writes it; the port in it becomes this line's.
    """

    def __init__(self, file: Path) -> None:
        told = json.loads(file.read_text("utf-8"))
        self._target = int(told["port"])
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()
        aside = file.with_suffix(".cut")
        aside.touch(0o600)
        aside.write_text(json.dumps({**told, "port": self._server.getsockname()[1]}), encoding="utf-8")
        aside.replace(file)

    def cut(self) -> None:
        """Cut every connection; whoever connects again gets through."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let nobody through any more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                with self._lock:
                    self._ends += [near, far]
                done = threading.Semaphore(0)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other, done), daemon=True).start()
                threading.Thread(target=self._release, args=(near, far, done), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket, done: threading.Semaphore) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                sink.sendall(content)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        done.release()

    def _release(self, near: socket.socket, far: socket.socket, done: threading.Semaphore) -> None:
        done.acquire()
        done.acquire()
        with self._lock:
            self._ends = [end for end in self._ends if end not in (near, far)]
        near.close()
        far.close()
