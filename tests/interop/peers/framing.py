"""The protocol between the test and a peer written in Python; peers/README.md describes it."""

import functools
import json
import sys
import time


def serve(hello, verify, sign):
    """Says hello, then answers requests until stdin ends. An exception of the peer is an answer too."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer

    def answer(value):
        answers.write(json.dumps(value).encode("ascii") + b"\n")
        answers.flush()

    def perform(verb, message, parameters):
        return verify(message) if verb == "verify" else sign(message, *parameters)

    answer(hello)
    for line in requests:
        verb, identifier, size, *parameters = line.decode("ascii").split()
        message = requests.read(int(size))
        try:
            if verb == "time":
                count, timed, *others = parameters
                before = time.process_time()
                for _ in range(int(count)):
                    perform(timed, message, others)
                outcome = {"seconds": time.process_time() - before}
            else:
                outcome = perform(verb, message, parameters)
        except Exception as problem:  # whatever a peer's library throws, the test wants to see
            outcome = {"error": f"{type(problem).__name__}: {problem}"}
        answer({"id": int(identifier), **outcome})


def read_zone(folder):
    """The key records, by lower-case name without the final dot."""
    with open(f"{folder}/zone", encoding="ascii") as lines:
        return {name: record for name, record in (line.rstrip("\n").split(" ", 1) for line in lines)}


@functools.cache
def read_key(folder, algorithm):
    """The PEM text of the private key for one algorithm."""
    with open(f"{folder}/{algorithm}.pem", "rb") as file:
        return file.read()
