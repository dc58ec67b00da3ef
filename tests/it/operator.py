"""One operator's Matrix client, driven over stdin and stdout: one JSON object on each line.

in:  {"id": 1, "do": "say", ...}           out: {"id": 1, "ok": ...} or {"id": 1, "error": "..."}
                                           out: {"event": {...}} for each event of a timeline, once more when it
                                                could be decrypted later
It ends when stdin closes.
"""

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from nio import AsyncClient, AsyncClientConfig, Event, InviteMemberEvent, LoginError, MegolmEvent, SyncError
from nio.crypto.attachments import decrypt_attachment, encrypt_attachment
from nio.exceptions import EncryptionError

PATIENCE = 20  # seconds until what was asked for must be there
FILTER = {"room": {"timeline": {"limit": 1000}}, "presence": {"types": []}}


class Operator:
    def __init__(self, homeserver, user, password, store):
        config = AsyncClientConfig(encryption_enabled=True, max_timeouts=1, request_timeout=60)
        self.client = AsyncClient(homeserver, user, store_path=store, config=config)
        self.password = password
        self.accept_invites = True
        self.invites = {}
        self.undecrypted = {}

    async def run(self):
        answer = await self.client.login(self.password, device_name="operator")
        if isinstance(answer, LoginError):
            raise RuntimeError(f"login: {answer.message}")
        self.client.add_event_callback(self.on_event, Event)
        self.client.add_event_callback(self.on_invite, InviteMemberEvent)
        await self.sync_once(0)
        put({"ready": self.client.device_id})
        sync = asyncio.create_task(self.sync_forever())
        lines = await stdin_lines()
        while line := await lines.readline():
            await self.answer(json.loads(line))
        sync.cancel()

    async def answer(self, request):
        number, action = request.pop("id"), request.pop("do")
        try:
            put({"id": number, "ok": await getattr(self, "do_" + action)(**request)})
        except Exception as error:  # whatever it is, the test must hear of it
            put({"id": number, "error": f"{action}: {type(error).__name__}: {error}"})

    # -- what comes in

    async def sync_forever(self):
        while True:
            try:
                await self.sync_once(30_000)
            except Exception as error:  # the server may be down for a while
                logging.info("sync: %s", error)
                await asyncio.sleep(0.2)

    async def sync_once(self, timeout):
        answer = await self.client.sync(timeout, FILTER)
        if isinstance(answer, SyncError):
            raise RuntimeError(answer.message)
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.client.should_claim_keys:
            await self.client.keys_claim(self.client.get_users_for_key_claiming())
        await self.client.send_to_device_messages()
        self.decrypt_what_waits()
        if self.accept_invites:
            for room in list(self.invites):
                await self.do_join(room)

    async def on_invite(self, room, event):
        if event.state_key == self.client.user_id and event.membership == "invite":
            self.invites[room.room_id] = event.sender

    async def on_event(self, room, event):
        self.decrypt_what_waits()  # what came earlier is read first
        if isinstance(event, MegolmEvent):
            self.undecrypted[event.event_id] = (room.room_id, event)
        self.put_event(room.room_id, event)

    def decrypt_what_waits(self):
        for event_id, (room, event) in list(self.undecrypted.items()):
            try:
                decrypted = self.client.decrypt_event(event)
            except EncryptionError:
                continue
            del self.undecrypted[event_id]
            self.put_event(room, decrypted)

    def put_event(self, room, event):
        source = event.source
        content = source.get("content", {})
        put({"event": {
            "room_id": room,
            "event_id": event.event_id,
            "sender": event.sender,
            "type": source.get("type"),
            "state_key": source.get("state_key"),
            "sent_at_ms": event.server_timestamp,
            "content": content,
            "encrypted": bool(event.decrypted) or source.get("type") == "m.room.encrypted",
            "redacts": source.get("redacts") or content.get("redacts"),
        }})

    # -- what goes out

    async def do_send(self, room, type, content):
        """Encrypted, where the room is, for everybody who is in it now."""
        joined = await self.api("GET", f"rooms/{quote(room)}/joined_members")
        await until(lambda: self.knows(room, joined["joined"]), f"the members of {room}")
        if self.client.should_query_keys:
            await self.client.keys_query()
        answer = await self.client.room_send(room, type, content, ignore_unverified_devices=True)
        if not hasattr(answer, "event_id"):
            raise RuntimeError(str(answer))
        return answer.event_id

    async def do_send_raw(self, room, type, content):
        """As it is, never encrypted by this client."""
        path = f"rooms/{quote(room)}/send/{type}/{uuid4()}"
        return (await self.api("PUT", path, content))["event_id"]

    async def do_send_undecryptable(self, room, thread_root=None):
        content = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": "AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg2yyOwAtHaZTwyNg37afzg8f3r9IsN9r4RNFg7MaZencUJe4",
            "device_id": "NEVERSEEN",
            "sender_key": "RJ2vp1JrJ9Rt5SL3oPIqv1Jm4Zf9Kx2GZwIVOvNQWGs",
            "session_id": "X3lUlvLELLYxeTx4yOVu6UDpasGEVO0Jbu+QFnm0cKQ",
        }
        if thread_root:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread_root}
        return await self.do_send_raw(room, "m.room.encrypted", content)

    async def do_redact(self, room, event, reason=None):
        body = {"reason": reason} if reason else {}
        return (await self.api("PUT", f"rooms/{quote(room)}/redact/{quote(event)}/{uuid4()}", body))["event_id"]

    # -- files

    async def do_bring(self, path, mime, encrypt):
        """A file for the server; gives what an event names it by."""
        data, keys = Path(path).read_bytes(), {}
        if encrypt:
            data, keys = encrypt_attachment(data)
        headers = self.headers("application/octet-stream" if encrypt else mime)
        answer = await self.client.send("POST", "/_matrix/media/v3/upload", data, headers)
        url = (await answer.json())["content_uri"]
        return {"file": {**keys, "url": url}} if encrypt else {"url": url}

    async def do_fetch(self, content, path):
        """Saves the file that an event names, decrypted where it is encrypted."""
        file = content.get("file")
        place = (file or content)["url"].removeprefix("mxc://")
        headers = self.headers("application/json")
        answer = await self.client.send("GET", f"/_matrix/client/v1/media/download/{place}", None, headers)
        data = await answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} {data[:200]}")
        if file:
            data = decrypt_attachment(data, file["key"]["k"], file["hashes"]["sha256"], file["iv"])
        Path(path).write_bytes(data)

    # -- rooms

    async def do_create_room(self, body):
        room = (await self.api("POST", "createRoom", body))["room_id"]
        await self.in_room(room)
        return room

    async def do_join(self, room):
        room = (await self.api("POST", f"join/{quote(room)}", {}))["room_id"]
        self.invites.pop(room, None)
        return room

    async def do_joined(self, room):
        """Joins, and waits until the room is here."""
        room = await self.do_join(room)
        await self.in_room(room)
        return room

    async def do_in_room(self, room):
        await self.in_room(room)

    async def do_leave(self, room):
        await self.api("POST", f"rooms/{quote(room)}/leave", {})

    async def do_invite(self, room, user):
        await self.api("POST", f"rooms/{quote(room)}/invite", {"user_id": user})

    async def do_kick(self, room, user):
        await self.api("POST", f"rooms/{quote(room)}/kick", {"user_id": user})

    async def do_accept_invites(self, accept):
        self.accept_invites = accept

    async def do_invites(self):
        return self.invites

    async def do_resolve(self, alias):
        return (await self.api("GET", f"directory/room/{quote(alias)}"))["room_id"]

    async def do_members(self, room):
        events = (await self.api("GET", f"rooms/{quote(room)}/members"))["chunk"]
        return {event["state_key"]: event["content"]["membership"] for event in events}

    async def do_state(self, room):
        return await self.api("GET", f"rooms/{quote(room)}/state")

    async def do_set_state(self, room, type, state_key, content):
        await self.api("PUT", f"rooms/{quote(room)}/state/{type}/{quote(state_key)}", content)

    async def do_api(self, method, path, body=None):
        return await self.api(method, path, body)

    # -- help

    async def in_room(self, room):
        await until(lambda: room in self.client.rooms, f"{room} in a sync")

    def headers(self, mime):
        return {"Authorization": f"Bearer {self.client.access_token}", "Content-Type": mime}

    def knows(self, room, users):
        known = self.client.rooms.get(room)
        return known is not None and set(users) <= set(known.users)

    async def api(self, method, path, body=None):
        headers = self.headers("application/json")
        data = None if body is None else json.dumps(body)
        answer = await self.client.send(method, "/_matrix/client/v3/" + path, data, headers)
        parsed = await answer.json()
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} {parsed.get('errcode')} {parsed.get('error')}")
        return parsed


async def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {PATIENCE} s")
        await asyncio.sleep(0.02)


async def stdin_lines():
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def put(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main():
    homeserver, user, store = sys.argv[1:4]
    operator = Operator(homeserver, user, json.loads(sys.stdin.readline()), store)
    try:
        await operator.run()
    finally:
        await operator.client.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(main())
