"""The socket at which running commands connect: on this computer only, and only those that the studio started."""

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
from collections.abc import AsyncIterator

from lerobot.studio.inside.wire import HEAD, JSON, PICTURE_HEAD, WireError, json_frame, proof, read_head
from lerobot.studio.live.live import Command, Live
from lerobot.studio.live.messages import CommandHello, Facts, PictureHeader, from_command

log = logging.getLogger(__name__)

HANDSHAKE_S = 2.0


@contextlib.asynccontextmanager
async def serve_commands(live: Live) -> AsyncIterator[int]:
    """Take connections of commands within the block; gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await _converse(live, reader, writer)

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        async with live.announced(port):
            yield port
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def _converse(live: Live, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    command, sender = None, None
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            command = await _shake_hands(live, reader, writer)
        sender = asyncio.create_task(_send(command, writer))
        live.commands.append(command)
        while True:
            kind, payload = await _read(reader)
            _take(live, command, kind, payload)
    except asyncio.CancelledError:
        pass  # the studio ends
    except (OSError, asyncio.IncompleteReadError):
        log.debug("a command has gone")
    except (ValueError, WireError) as error:
        log.warning("a connection of a command is closed: %s", str(error).splitlines()[0])
    finally:
        if sender is not None:
            sender.cancel()
        if command in live.commands:
            live.commands.remove(command)
            live.tell_state()
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    length, kind = read_head(await reader.readexactly(HEAD.size))
    return kind, await reader.readexactly(length)


async def _shake_hands(live: Live, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Command:
    nonce = secrets.token_hex(16)
    writer.write(json_frame({"type": "challenge", "nonce": nonce}))
    kind, payload = await _read(reader)
    if kind != JSON:
        raise WireError("a picture came before a hello")
    hello = CommandHello.model_validate_json(payload)
    if not hmac.compare_digest(hello.proof.encode(), proof(live.token, "command", nonce).encode()):
        raise WireError("it does not know the token")
    writer.write(json_frame({"type": "welcome", "proof": proof(live.token, "studio", hello.nonce)}))
    return Command(hello.run)


def _take(live: Live, command: Command, kind: int, payload: bytes) -> None:
    if kind != JSON:
        camera = _camera(command, payload)
        live.show(command.run, camera, payload)
        return
    message = from_command(payload)
    if isinstance(message, Facts):
        live.introduce(command, message)
        return
    told = message.model_dump()
    json.dumps(told, allow_nan=False)  # a page could not read it
    if message.type in {"episode_start", "episode_end"} and command.facts is not None:
        command.facts = command.facts.model_copy(update={"episode": told})
    live.hand_on(command, told)


def _camera(command: Command, payload: bytes) -> str:
    """The camera that a picture is of."""
    (length,) = PICTURE_HEAD.unpack(payload[: PICTURE_HEAD.size].ljust(PICTURE_HEAD.size, b"\0"))
    header = PictureHeader.model_validate_json(payload[PICTURE_HEAD.size : PICTURE_HEAD.size + length])
    if header.run != command.run:
        raise WireError("a picture of another run")
    return header.camera


async def _send(command: Command, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # who reads finds out too
        async for content in command.outbox.take():
            writer.write(content if isinstance(content, bytes) else content.encode())
            await writer.drain()
    writer.transport.abort()
