"""A message: the SQS body as it is sent, and what it is as an object."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.core import json_members, metadata
from functions.core.errors import Code, Permanent
from functions.core.instants import Instant

POINTER_CLASS = "software.amazon.payloadoffloading.PayloadS3Pointer"
_POINTER_CLASSES = frozenset({POINTER_CLASS, "com.amazon.sqs.javamessaging.MessageS3Pointer"})
"""What AWS's extended client libraries put first:
https://github.com/awslabs/payload-offloading-java-common-lib-for-aws."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an SQS body; others are allowed and ignored. `data` is kept as the text that was sent."""

    destination_id: str
    data: msgspec.Raw
    id: str | None = None
    topic: str | None = None
    time: str | None = None
    metadata: dict[str, str] | None = None


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """Where an extended client put a body that SQS does not take."""

    bucket: str = msgspec.field(name="s3BucketName")
    key: str = msgspec.field(name="s3Key")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can be delivered.

    `id` is the sender's, else SQS's; `sluice_id` tells two messages apart that share a key; `payload` is a
    JSON object, byte for byte as it was sent; `metadata` is what the message itself brings.
    """

    destination_id: str
    id: str
    sluice_id: str
    time: Instant
    topic: str | None
    metadata: Mapping[str, str]
    payload: bytes

    def data(self) -> Any:
        """The payload, parsed, for a template that looks into it.

        Raises:
            Permanent: `BAD_KEY`; it holds a number that no parser here can read.
        """
        try:
            return msgspec.json.decode(self.payload)
        except msgspec.DecodeError:
            # Python's own reads what msgspec does not: 1e400 (as infinity), and halves of surrogate pairs.
            return self._data_by_json()

    def _data_by_json(self) -> Any:
        try:
            return json.loads(self.payload)
        except ValueError:
            raise Permanent(Code.BAD_KEY, "the payload holds a number of more than 4,300 digits") from None


def parse_pointer(body: str) -> Pointer | None:
    """Where the message is, if this body is an extended client's pointer to it.

    Raises:
        Permanent: `BAD_MESSAGE`; it is an array, as a pointer is, and no pointer.
    """
    if not body.lstrip().startswith("["):
        return None
    try:
        name, pointer = msgspec.json.decode(body, type=tuple[str, Pointer])
    except (msgspec.DecodeError, RecursionError):
        name, pointer = "", None
    if pointer is None or name not in _POINTER_CLASSES:
        raise _bad("the body is a JSON array, and not an extended client's pointer")
    return pointer


def parse_message(body: bytes, *, message_id: str, sent: Instant) -> Message:
    """The message that this body is; `message_id` and `sent` are SQS's, for what the body does not say.

    Raises:
        Permanent: `BAD_MESSAGE`; the text names the field at fault.
    """
    envelope = _envelope(body)
    payload = bytes(envelope.data)
    if not payload.startswith(b"{"):
        raise _bad("`data` is not a JSON object")
    if envelope.id == "":
        raise _bad("`id` is empty; leave it out, and SQS's message id is taken")
    identity = envelope.id or message_id
    return Message(
        destination_id=envelope.destination_id,
        id=identity,
        sluice_id=sluice_id(identity, body),
        time=sent if envelope.time is None else Instant.parse(envelope.time),
        topic=envelope.topic,
        metadata=envelope.metadata or {},
        payload=payload,
    )


def sluice_id(identity: str, body: bytes) -> str:
    """A name for this message with this body: 32 hexadecimal digits, the same at every delivery."""
    named = identity.encode(errors="surrogatepass")
    digest = hashlib.sha256(len(named).to_bytes(8) + named)
    digest.update(body)
    return digest.hexdigest()[:32]


def object_metadata(message: Message, *, own: Mapping[str, str]) -> dict[str, str]:
    """The object's metadata in plain text, which is also what a template sees.

    Ours (destinationId, event-id, timestamp, topic) yield to the definition's `own`, those to the message's.
    """
    made = {
        "destinationId": message.destination_id,
        "event-id": message.id,
        "timestamp": message.time.rfc3339(),
    }
    if message.topic is not None:
        made["topic"] = message.topic
    return metadata.merged(made, own, message.metadata)


def sent_metadata(message: Message, plain: Mapping[str, str]) -> dict[str, str]:
    """The object's metadata as it is sent, with the name that no message can set.

    Raises:
        Permanent: `BAD_MESSAGE`; S3 would refuse or change it. The text names which, never a value.
    """
    for name, why in metadata.faults(plain):
        raise _bad(f"metadata `{name}` {why}")
    sent = metadata.encoded(plain) | {metadata.RESERVED: message.sluice_id}
    if (size := metadata.size(sent)) > metadata.MAX_BYTES:
        raise _bad(f"the metadata has {size} bytes as it is sent, S3 takes at most {metadata.MAX_BYTES}")
    return sent


def object_body(message: Message, *, envelope: bool) -> bytes:
    """The object's bytes: the payload as it was sent, alone or as `{"data": <payload>}`."""
    return b'{"data": ' + message.payload + b"}" if envelope else message.payload


_DECODER = msgspec.json.Decoder(Envelope)


def _envelope(body: bytes) -> Envelope:
    try:
        body.decode()
        return _DECODER.decode(body)
    except UnicodeDecodeError as error:
        raise _bad(f"the body is not UTF-8 at byte {error.start}") from None
    except msgspec.ValidationError as error:
        raise _bad(_named(str(error), body)) from None
    except RecursionError:
        raise _bad("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        return _by_members(body, why=str(error))


def _by_members(body: bytes, *, why: str) -> Envelope:
    """The same by a slower parser that allows all that JSON does; `why` is what the fast one said."""
    try:
        members = json_members.members(body.decode())
        fields = {name: members[name] for name in Envelope.__struct_fields__ if name in members}
        others = {name: json.loads(text) for name, text in fields.items() if name != "data"}
        json.dumps(others, ensure_ascii=False).encode()  # only the payload may hold half of a surrogate pair
        raw = {"data": msgspec.Raw(fields["data"].encode())} if "data" in fields else {}
        return msgspec.convert(others | raw, Envelope)
    except msgspec.ValidationError as error:
        raise _bad(_named(str(error), body)) from None
    except (ValueError, RecursionError):
        raise _bad(f"the body is not JSON: {why}") from None


def _named(why: str, body: bytes) -> str:
    """Msgspec's text without its `$`; of metadata that holds more than strings, which one does."""
    if "$.metadata[...]" not in why:
        return why.replace("`$.", "`").replace(" - at `$`", "")
    try:
        values = json.loads(body, parse_int=float)["metadata"].items()
        name = next(name for name, value in values if not isinstance(value, str))
    except (ValueError, RecursionError, AttributeError, StopIteration):  # a repeated `metadata`, or depth
        return "a value of `metadata` is not a string"
    return f"metadata `{metadata.shown(name)}` is not a string"


def _bad(text: str) -> Permanent:
    return Permanent(Code.BAD_MESSAGE, text)
