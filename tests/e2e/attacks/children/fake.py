# fake.py: a child that reaches the broker and tells of another's run (`theirs`: what
# its executor said last, and that one's hash and key id): that it has ended well, and
# what it wrote. It signs with a key of its own, under its own name and theirs.
import base64
import hashlib
import json

import confluent_kafka
import nacl.signing

KINDS = {"output": {"stream": "stdout", "data": base64.b64encode(b"faked\n").decode()},
         "finished": {"outcome": "succeeded", "started": True, "exit": 0, "signal": 0,
                      "chunks": 1, "dropped": 0}}


def record(kind, fields, key, name):
    payload = json.dumps(fields).encode()
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signature = base64.b64encode(key.sign(encoded).signature)
    return payload, [("ce_specversion", b"1.0"), ("ce_id", fields["id"].encode()),
                     ("ce_source", b"fake"), ("ce_type", kind.encode()),
                     ("ce_time", fields["issued"].encode()),
                     ("errand-key", name.encode()), ("errand-sig", signature)]


theirs = json.loads(THEIRS)
key = nacl.signing.SigningKey.generate()
own = hashlib.sha256(bytes(key.verify_key)).hexdigest()
producer = confluent_kafka.Producer({"bootstrap.servers": BROKERS})
for name in own, theirs["key"]:
    for kind, more in KINDS.items():
        fields = {**theirs["fields"], "number": theirs["fields"]["number"] + 1,
                  "previous": theirs["hash"], **more}
        if kind == "finished":
            fields["claim"] = theirs["claim"]
            del fields["stream"], fields["data"]
        value, headers = record(f"errand.execution.{kind}.v1", fields, key, name)
        producer.produce("errand.results", value, key=fields["execution"], headers=headers)
assert producer.flush(10) == 0
