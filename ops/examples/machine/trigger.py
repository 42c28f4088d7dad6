#!/usr/bin/python3
"""trigger.py: asks for a run without `submit`: by the documented signed event.

For a machine that has a message queue at hand and rather speaks to it itself: a
build server, a monitor. It uses the profile of a machine's identity
(`submit user invite NAME --service`, then `submit verify`, and `submit login` now
and then: it takes the open session from there), signs a run.start with the
session's key (schema/events/run.start.schema.json), puts it on errand.requests,
and reads the answer from errand.replies, which is sealed to a key made for it.

What the answer says is told, and not proved here: that is what `submit result RUN`
does, and what anything that hangs on it should go by.

    trigger.py COMMAND-ID TARGET[,TARGET...] [NAME=VALUE...]

COMMAND-ID is in `submit show COMMAND -o json`. Needs python3-nacl and
confluent-kafka.
"""
import base64
import configparser
import datetime
import hashlib
import json
import os
import pathlib
import sys
import time
import uuid

import confluent_kafka
import nacl.public
import nacl.signing

LIFE = 60  # s that the request may be decided in
WAIT = 60  # s that a host may be waited for; at most the command's own `wait`
ANSWER = 30


def moment(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def uuid7(seconds):
    raw = bytearray(int(seconds * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def authentication(kind, payload):
    """What is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def session_folder(profile):
    """The login's own folder, where the system has one; else the profile."""
    name = hashlib.sha256(str(profile.resolve()).encode()).hexdigest()[:32]
    folder = pathlib.Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere"), "errand", name)
    return folder if folder.is_dir() else profile


class Session:
    """What `submit login` left."""

    def __init__(self, profile):
        folder = session_folder(profile)
        seeds = base64.b64decode(json.loads((folder / "session.json").read_text())["seeds"])
        self.key = nacl.signing.SigningKey(seeds[:32])
        opened = json.loads((folder / "session.open.json").read_text())
        payload = base64.b64decode(opened["payload"])
        kind = opened["payloadType"].encode()
        # An envelope's name: SHA-256 over what was signed.
        self.by = hashlib.sha256(authentication(kind, payload)).hexdigest()
        self.root = json.loads(payload)["root"]


def brokers(profile):
    if "ERRAND_BROKERS" in os.environ:
        return os.environ["ERRAND_BROKERS"]
    config = configparser.ConfigParser(interpolation=None)
    config.read(profile / "config")
    return config["kafka"]["bootstrap.servers"]


def place_for_replies(servers):
    """A consumer at the end of one partition of errand.replies, and its number."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": servers, "group.id": "errand",
        "enable.auto.commit": False})
    partition = confluent_kafka.TopicPartition("errand.replies", 0)
    _, partition.offset = consumer.get_watermark_offsets(partition, timeout=10)
    consumer.assign([partition])
    return consumer, 0


def send(servers, session, kind, payload):
    signature = session.key.sign(authentication(kind.encode(), payload)).signature
    key = hashlib.sha256(bytes(session.key.verify_key)).hexdigest()
    request = json.loads(payload)
    headers = [("content-type", "application/json"), ("ce_specversion", "1.0"),
               ("ce_type", kind), ("ce_source", "trigger.py"),
               ("ce_id", request["id"]), ("ce_time", request["issued"]),
               ("errand-key", key), ("errand-sig", base64.b64encode(signature))]
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": servers, "acks": "all"})
    producer.produce("errand.requests", payload, key=key, headers=headers,
                     on_delivery=lambda error, _: failed.append(error) if error else None)
    if producer.flush(ANSWER) or failed:
        sys.exit(f"trigger: not sent: {failed or 'no broker took it'}")


def answer(consumer, box, request):
    """The authorizer's status and words; it may send more parts than this one."""
    end = time.monotonic() + ANSWER
    while time.monotonic() < end:
        message = consumer.poll(0.1)
        if message is None or message.error() or message.key() != request.encode():
            continue
        sealed = base64.b64decode(json.loads(message.value())["box"])
        envelope = json.loads(nacl.public.SealedBox(box).decrypt(sealed))
        reply = json.loads(base64.b64decode(envelope["payload"]))
        if "status" in reply:
            return reply["status"], reply.get("text", "")
    return "no answer", "it may be carried out all the same: look before asking again"


def main(command, targets, *arguments):
    profile = pathlib.Path(os.environ["ERRAND_PROFILE"])
    session, servers, now = Session(profile), brokers(profile), time.time()
    box = nacl.public.PrivateKey.generate()
    consumer, partition = place_for_replies(servers)
    request = {
        "root": session.root, "id": uuid7(now), "issued": moment(now),
        "by": session.by, "expires": moment(now + LIFE),
        "reply": {"partition": partition,
                  "box": base64.b64encode(bytes(box.public_key)).decode()},
        "command": command, "targets": targets.split(","),
        "arguments": dict(a.split("=", 1) for a in arguments),
        "deadline": moment(now + LIFE + WAIT), "follow": False}
    payload = json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
    send(servers, session, "errand.run.start.v1", payload)
    status, text = answer(consumer, box, request["id"])
    consumer.close()
    print(request["id"])  # a run's id is its request's
    if status != "accepted":
        sys.exit(f"trigger: {status}: {text}".rstrip(": "))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
