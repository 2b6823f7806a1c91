"""dkimpy (Debian: python3-dkim, python3-authres) as a sealer and verifier of ARC; see README.md."""

import base64
import json
import logging
import sys

import dkim

folder = sys.argv[1]
with open(f"{folder}/zone", encoding="ascii") as lines:
    zone = dict(line.rstrip("\n").split(" ", 1) for line in lines)
with open(f"{folder}/key.pem", "rb") as file:
    key = file.read()
silent = logging.getLogger("silent")
silent.addHandler(logging.NullHandler())
silent.propagate = False


def key_record(name, timeout=5):
    return zone.get(name.decode("ascii").lower().rstrip(".")).encode("ascii")


def verify(message):
    result, sets, reason = dkim.ARC(message, logger=silent).verify(dnsfunc=key_record)
    return {"result": (result or b"fail").decode("ascii"), "detail": reason}


def seal(message):
    fields = dkim.ARC(message, logger=silent).sign(b"rsa", b"peer.test", key, b"peer.test", include_headers=[b"from", b"to", b"subject", b"date"])
    return {"fields": base64.b64encode(b"".join(fields)).decode("ascii")}


requests, answers = sys.stdin.buffer, sys.stdout
for line in requests:
    verb, identifier, size = line.decode("ascii").split()
    message = requests.read(int(size))
    try:
        outcome = verify(message) if verb == "verify" else seal(message)
    except Exception as problem:  # whatever the library throws, the test wants to see
        outcome = {"error": f"{type(problem).__name__}: {problem}"}
    print(json.dumps({"id": int(identifier), **outcome}), flush=True)
