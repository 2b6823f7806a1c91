"""dkimpy (Debian: python3-dkim, and python3-nacl for Ed25519) as a signer and verifier; see peers/README.md."""

import base64
import importlib.metadata
import logging
import re
import sys

import dkim
import dkim.util
import nacl.signing  # noqa: F401 dkimpy goes on without it, and without Ed25519
from framing import read_key, read_zone, serve

folder = sys.argv[1]
zone = read_zone(folder)
silent = logging.getLogger("silent")
silent.addHandler(logging.NullHandler())
silent.propagate = False


def key_record(name, timeout=5):
    return zone.get(name.decode("ascii").lower().rstrip("."))


def verify(message):
    checker = dkim.DKIM(message, logger=silent)
    signatures = [value for name, value in checker.headers if name.lower() == b"dkim-signature"]
    results = []
    for index, value in enumerate(signatures):
        try:
            passed, detail = checker.verify(idx=index, dnsfunc=key_record), ""
        except dkim.DKIMException as problem:
            passed, detail = False, f"{type(problem).__name__}: {problem}"
        fields = dkim.util.parse_tag_value(value)
        results.append(
            {
                "selector": fields.get(b"s", b"").decode("ascii", "replace"),
                "result": "pass" if passed else "fail",
                "detail": detail,
            }
        )
    return {"results": results}


def private_key(algorithm):
    pem = read_key(folder, algorithm)
    if algorithm == "rsa-sha256":
        return pem
    # dkimpy takes an Ed25519 key as its bare 32-byte seed, which is how every PKCS #8 file of one ends (RFC 8410 section 7).
    document = base64.b64decode(re.sub(rb"-----[^-]+-----|\s", b"", pem))
    return base64.b64encode(document[-32:])


def sign(message, algorithm, canonicalization, selector, domain, fields):
    signer = dkim.DKIM(message, logger=silent)
    signer.should_not_sign = set()  # the test says which fields, Received included
    field = signer.sign(
        selector.encode("ascii"),
        domain.encode("ascii"),
        private_key(algorithm),
        signature_algorithm=algorithm.encode("ascii"),
        canonicalize=tuple(canonicalization.encode("ascii").split(b"/")),
        include_headers=fields.encode("ascii").split(b":"),
    )
    return {"field": base64.b64encode(field).decode("ascii")}


serve(
    {
        "peer": "dkimpy",
        "version": importlib.metadata.version("dkimpy"),
        "algorithms": ["rsa-sha256", "ed25519-sha256"],
    },
    verify,
    sign,
)
