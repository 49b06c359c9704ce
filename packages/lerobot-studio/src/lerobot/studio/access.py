"""Who may talk to the studio: every request and every WebSocket passes here first.

A web page of somebody else runs in the same browser. It can send requests here; it has no token (the cookie is strict),
its Origin is another, and a name that it points at this computer (DNS rebinding) is not one that the studio has.
"""

import hmac
import html
import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lerobot.core.loopback import is_loopback

LARGEST_BODY = 256 * 1024
"""Bytes of a request, or of a message of a WebSocket."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)
_TOKEN = re.compile(rb"(?:^|&)token=([\w-]+)(?:&|$)", re.ASCII)
_READING = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    # With `no-referrer` browsers send "Origin: null" with a form; nothing leaves this origin with this one either.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class NotLetInError(Exception):
    """A request that goes no further; carries the status and a line for whoever sent it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Access:
    """ASGI middleware that lets in whoever has the token, from the studio's own pages.

    Args:
        app: what it guards.
        token: opens the pages; given once as `?token=`, from then on as a cookie.
        host: what the studio was told to listen on; a name that its pages may have.
        port: its port; two studios on one computer have a cookie each.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        # The port may be that of a tunnel (ssh -L).
        self._names = {host.lower(), *(_LOOPBACK if is_loopback(host) else ())}
        self._cookie = f"lerobot_studio_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        body = _CountedBody(receive, send)
        try:
            entrance = self._check(scope)
            await (entrance or self._app)(scope, body.receive, body.send)
        except NotLetInError as refused:
            if body.has_answered:
                raise
            await _refuse(refused, scope, receive, _with_headers(send))

    def _check(self, scope: Scope) -> Response | None:
        """Refuse, or let pass; the answer is a page that hands out the cookie."""
        host = _single(scope, b"host")
        spelled = _HOST.fullmatch(host)
        if spelled is None or spelled[1].strip("[]").lower() not in self._names:
            raise NotLetInError(421, "The studio has no such address. Open the one that `lerobot studio` printed.")
        is_socket = scope["type"] == "websocket"
        if (is_socket or scope["method"] not in _READING) and _single(scope, b"origin") != f"http://{host}":
            raise NotLetInError(403, "Only the studio's own pages may do this.")
        if _length(scope) > LARGEST_BODY:
            raise NotLetInError(413, f"More than {LARGEST_BODY} bytes.")
        shown = _TOKEN.search(scope["query_string"])
        if shown and not is_socket and scope["method"] == "GET" and self._opens(shown[1].decode()):
            return self._entrance(scope)
        if not self._opens(_cookie(scope, self._cookie)):
            raise NotLetInError(401, "Open the address that `lerobot studio` printed, with its token.")
        return None

    def _opens(self, token: str) -> bool:
        # Compared in constant time, so that a wrong token does not say how much of it is right.
        return hmac.compare_digest(token.encode(errors="replace"), self._token)

    def _entrance(self, scope: Scope) -> Response:
        """The page asked for, behind one that sets the cookie.

        A redirect would do, were it not that a browser sends no strict cookie along a redirect that another program's
        page began.
        """
        path = html.escape("/" + str(scope["path"]).lstrip("/\\"))
        page = HTMLResponse(
            f'<!doctype html><title>lerobot studio</title><link rel="icon" href="data:,">'
            f'<meta http-equiv="refresh" content="0;url={path}"><a href="{path}">Go on</a>'
        )
        page.set_cookie(self._cookie, self._token.decode(), httponly=True, samesite="strict", path="/")
        return page


class _CountedBody:
    """Both ends of a request: what is read is counted, what is sent gets the headers of every answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = _with_headers(send)
        self._read = 0
        self.has_answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > LARGEST_BODY:
                raise NotLetInError(413, f"More than {LARGEST_BODY} bytes.")
        return message

    async def send(self, message: Message) -> None:
        self.has_answered = True
        await self._send(message)


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sender


async def _refuse(refused: NotLetInError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refused.why})
        return
    await PlainTextResponse(f"{refused.why}\n", refused.status, {"Connection": "close"})(scope, receive, send)


def _values(scope: Scope, name: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _single(scope: Scope, name: bytes) -> str:
    """The value of a header that must be there once; empty if it is not."""
    values = list(_values(scope, name))
    return values[0] if len(values) == 1 else ""


def _length(scope: Scope) -> int:
    text = _single(scope, b"content-length")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _cookie(scope: Scope, name: str) -> str:
    for value in _values(scope, b"cookie"):
        try:
            found = SimpleCookie(value).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""
