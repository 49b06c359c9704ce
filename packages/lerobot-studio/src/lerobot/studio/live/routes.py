"""The addresses of this room: the socket of a page, and the stop."""

import asyncio
import contextlib
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lerobot.core.errors import LeRobotError
from lerobot.studio.live.live import Live, Page
from lerobot.studio.live.messages import Act, Alive, Hello, Jog, StopNow, Watch, Word, from_page

HELLO_S = 5.0
MAX_CHARACTERS = 16_384
REPLACED, MALFORMED = 4001, 4002


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        WebSocketRoute("/live", page_socket),
        Route("/stop", post_stop, methods=["POST"]),
        Route("/release", post_release, methods=["POST"]),
    ]


def page_of(request: Request, fields: Iterable[tuple[str, str]] = ()) -> str:
    """Id of the page that asks, which its header or a field of its form says; empty for a page without scripts."""
    return request.headers.get("x-studio-page") or dict(fields).get("studio-page", "")


async def post_stop(request: Request) -> Response:
    """Stop everything that moves; from every page, also one without scripts."""
    request.app.state.live.stop("the button of a page", "the studio")
    return Response(status_code=204)


async def post_release(request: Request) -> Response:
    """Let robots move again; for the page that controls."""
    request.app.state.live.release(page_of(request))
    return Response(status_code=204)


async def page_socket(socket: WebSocket) -> None:
    """Talk to a page."""
    live: Live = socket.app.state.live
    await socket.accept()
    page, sender, reason = None, None, (1000, "")
    try:
        async with asyncio.timeout(HELLO_S):
            page = await _greet(socket)
        sender = asyncio.create_task(_send(page, socket))
        before = live.enter(page)
        if before is not None:
            before.outbox.put("", "replaced")
        while True:
            hear(live, page, await _text(socket))
    except WebSocketDisconnect:
        return
    except TimeoutError:
        reason = MALFORMED, "no hello"
    except ValueError as error:
        reason = MALFORMED, str(error).splitlines()[0][:100]
    finally:
        if sender is not None:
            sender.cancel()
        if page is not None:
            live.leave(page)
    with contextlib.suppress(RuntimeError):  # it has gone already
        await socket.close(*reason)


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] != "websocket.receive":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None or len(text) > MAX_CHARACTERS:
        raise ValueError(f"a message that is no text of at most {MAX_CHARACTERS} characters")
    return str(text)


async def _greet(socket: WebSocket) -> Page:
    hello = from_page(await _text(socket))
    if not isinstance(hello, Hello):
        raise ValueError("the first message is no hello")
    return Page(hello.page)


def hear(live: Live, page: Page, text: str) -> None:
    """Do what a page says, or tell it why not.

    Raises:
        ValueError: it is no message of a page.
    """
    message = from_page(text)
    try:
        match message:
            case StopNow():
                live.stop(message.reason, "a page of the studio")
            case Alive():
                live.alive(page, message.n)
            case Jog():
                live.jog(page, message.run, message.keys, message.t)
            case Watch():
                live.watch(page, message)
            case Word():
                live.word(page, message.run, message.word)
            case Act(type="take_control"):
                live.take_control(page)
            case Act():
                live.release(page.id)
            case Hello():
                raise ValueError("a second hello")
    except LeRobotError as error:
        page.tell({"type": "error", "text": str(error)}, f"error {message.type}")


async def _send(page: Page, socket: WebSocket) -> None:
    try:
        async for content in page.outbox.take():
            if isinstance(content, bytes):
                await socket.send_bytes(content)
            elif content:
                await socket.send_text(content)
            else:
                break
        replaced = not page.outbox.full
        await socket.close(*((REPLACED, "the tab is open elsewhere") if replaced else (1008, "too slow")))
    except (WebSocketDisconnect, RuntimeError):
        return  # it has gone; whoever listens to it finds out too
