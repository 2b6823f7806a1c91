"""libopendkim (Debian: libopendkim11), driven through ctypes, as a signer and verifier; see peers/README.md.

The numbers are those of its public header opendkim/dkim.h, version 2.11.
"""

import base64
import ctypes
import functools
import sys

from framing import read_key, serve

OK, NOSIG = 0, 2
OP_SETOPT = 1
OPTS_QUERYMETHOD, OPTS_QUERYINFO = 6, 7
QUERY_FILE = 1
FEATURE_ED25519 = 11
ALGORITHMS = {"rsa-sha256": 1, "ed25519-sha256": 2}
CANONICALIZATIONS = {"simple": 0, "relaxed": 1}
SIGFLAG_PASSED = 0x04
SIGBH_MATCH = 0

library = ctypes.CDLL("libopendkim.so.11")
handle, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
for name, result, arguments in [
    ("dkim_init", handle, [handle, handle]),
    ("dkim_libversion", ctypes.c_uint32, []),
    ("dkim_libfeature", ctypes.c_bool, [handle, ctypes.c_uint]),
    ("dkim_options", ctypes.c_int, [handle, ctypes.c_int, ctypes.c_int, handle, size]),
    ("dkim_verify", handle, [handle, text, handle, ctypes.POINTER(ctypes.c_int)]),
    (
        "dkim_sign",
        handle,
        [handle, text, handle, text, text, text, ctypes.c_int, ctypes.c_int, ctypes.c_int]
        + [ctypes.c_ssize_t, ctypes.POINTER(ctypes.c_int)],
    ),
    ("dkim_header", ctypes.c_int, [handle, text, size]),
    ("dkim_eoh", ctypes.c_int, [handle]),
    ("dkim_body", ctypes.c_int, [handle, text, size]),
    ("dkim_eom", ctypes.c_int, [handle, ctypes.POINTER(ctypes.c_bool)]),
    ("dkim_getsighdr_d", ctypes.c_int, [handle, size, ctypes.POINTER(text), ctypes.POINTER(size)]),
    ("dkim_getsiglist", ctypes.c_int, [handle, ctypes.POINTER(ctypes.POINTER(handle)), ctypes.POINTER(ctypes.c_int)]),
    ("dkim_sig_process", ctypes.c_int, [handle, handle]),
    ("dkim_sig_getflags", ctypes.c_uint, [handle]),
    ("dkim_sig_getbh", ctypes.c_int, [handle]),
    ("dkim_sig_getselector", text, [handle]),
    ("dkim_sig_geterror", ctypes.c_int, [handle]),
    ("dkim_sig_geterrorstr", text, [ctypes.c_int]),
    ("dkim_getresultstr", text, [ctypes.c_int]),
    ("dkim_geterror", text, [handle]),
    ("dkim_free", ctypes.c_int, [handle]),
]:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments

folder = sys.argv[1]
dkim = library.dkim_init(None, None)


class LibraryError(Exception):
    pass


def require(context, call, status, accepted=(OK,)):
    if status not in accepted:
        why = (context and library.dkim_geterror(context)) or b""
        raise LibraryError(f"{call}: {library.dkim_getresultstr(status).decode()}: {why.decode('latin-1')}")


method = ctypes.c_int(QUERY_FILE)
records = ctypes.create_string_buffer(f"{folder}/zone".encode())
require(None, "query method", library.dkim_options(dkim, OP_SETOPT, OPTS_QUERYMETHOD, ctypes.byref(method), 4))
require(None, "query info", library.dkim_options(dkim, OP_SETOPT, OPTS_QUERYINFO, records, len(records.value)))


@functools.lru_cache(maxsize=2)  # it is no work of the library, so a benchmark does it once
def split(message):
    """Header fields, each without its final CRLF, and the body."""
    end = message.find(b"\r\n\r\n")
    header, body = (message.removesuffix(b"\r\n"), b"") if end < 0 else (message[:end], message[end + 4 :])
    fields = []
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            fields[-1].append(line)
        else:
            fields.append([line])
    return [b"\r\n".join(lines) for lines in fields], body


def feed(context, message):
    fields, body = split(message)
    for field in fields:
        require(context, "dkim_header", library.dkim_header(context, field, len(field)))
    require(context, "dkim_eoh", library.dkim_eoh(context), (OK, NOSIG))
    if body:
        require(context, "dkim_body", library.dkim_body(context, body, len(body)))
    return library.dkim_eom(context, None)


def verify(message):
    status = ctypes.c_int()
    context = library.dkim_verify(dkim, b"verify", None, ctypes.byref(status))
    require(context, "dkim_verify", status.value)
    try:
        feed(context, message)  # the status of dkim_eom is that of one signature; each is read below
        signatures, count = ctypes.POINTER(handle)(), ctypes.c_int()
        require(context, "dkim_getsiglist", library.dkim_getsiglist(context, signatures, count))
        results = []
        for signature in signatures[: count.value]:
            library.dkim_sig_process(context, signature)
            flags, body_hash = library.dkim_sig_getflags(signature), library.dkim_sig_getbh(signature)
            passed = bool(flags & SIGFLAG_PASSED) and body_hash == SIGBH_MATCH
            error = library.dkim_sig_geterrorstr(library.dkim_sig_geterror(signature)) or b"unknown"
            results.append(
                {
                    "selector": library.dkim_sig_getselector(signature).decode(),
                    "result": "pass" if passed else "fail",
                    "detail": "" if passed else f"{error.decode()} (flags {flags:#x}, body hash {body_hash})",
                }
            )
        return {"results": results}
    finally:
        library.dkim_free(context)


def sign(message, algorithm, canonicalization, selector, domain, fields):
    del fields  # it signs every field it is given, by default
    header, body = (CANONICALIZATIONS[name] for name in canonicalization.split("/"))
    status = ctypes.c_int()
    context = library.dkim_sign(
        *(dkim, b"sign", None, read_key(folder, algorithm), selector.encode(), domain.encode()),
        *(header, body, ALGORITHMS[algorithm], -1, ctypes.byref(status)),
    )
    require(context, "dkim_sign", status.value)
    try:
        require(context, "dkim_eom", feed(context, message))
        value, length = text(), size()
        initial = len("DKIM-Signature: ")
        require(context, "dkim_getsighdr_d", library.dkim_getsighdr_d(context, initial, value, length))
        return {"field": base64.b64encode(b"DKIM-Signature: " + value.value + b"\r\n").decode("ascii")}
    finally:
        library.dkim_free(context)


version = library.dkim_libversion()
knows_ed25519 = library.dkim_libfeature(dkim, FEATURE_ED25519)
serve(
    {
        "peer": "libopendkim",
        "version": ".".join(str(version >> shift & 0xFF) for shift in (24, 16, 8)),
        "algorithms": ["rsa-sha256"] + (["ed25519-sha256"] if knows_ed25519 else []),
    },
    verify,
    sign,
)
