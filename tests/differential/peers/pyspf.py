"""pyspf (Debian: python3-spf, which brings python3-dns) as a checker of SPF, on a zone instead of the DNS.

Answers one line of JSON, {"dns", "ip", "helo", "mailFrom"}, with another, {"result", "detail"}; begins with {"version"}. With
"count" in the line it checks that often and answers with the processor time in "seconds" too.
"""

import importlib.metadata
import ipaddress
import json
import sys
import time

import spf

zone = {}


def lookup(name, qtype, *_):
    name = name.rstrip(".").lower()
    entry = zone.get(name)
    if entry in ("TIMEOUT", "SERVFAIL"):
        raise spf.TempError("DNS " + entry)
    if entry is None or entry == "NXDOMAIN":
        return []
    values = entry.get(qtype, [])
    if qtype == "TXT":
        values = [(text.encode("utf-8"),) for text in values]
    elif qtype == "MX":
        values = [tuple(value) for value in values]
    elif qtype == "AAAA":
        values = [ipaddress.ip_address(value).packed for value in values]
    return [((name, qtype), value) for value in values]


spf.DNSLookup = lookup
print(json.dumps({"version": spf.__version__ if hasattr(spf, "__version__") else importlib.metadata.version("pyspf")}), flush=True)
for line in sys.stdin:
    case = json.loads(line)
    zone = case["dns"]
    try:
        before = time.process_time()
        for _ in range(case.get("count", 1)):
            # strict=True: the errors of the standard, without pyspf's warnings; timeout=0: no clock.
            check = spf.query(i=case["ip"], s=case["mailFrom"], h=case["helo"], strict=True, timeout=0)
            result, _, explanation = check.check()
        answer = {"result": result, "detail": explanation if result.endswith("error") else ""}
        if "count" in case:
            answer["seconds"] = time.process_time() - before
    except Exception as problem:  # whatever the library throws, the test wants to see
        answer = {"result": "exception", "detail": f"{type(problem).__name__}: {problem}"}
    print(json.dumps(answer), flush=True)
