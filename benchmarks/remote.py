"""What a cell on another Jupyter server takes: submit by the Python client to its first output.

The other server runs on this machine, from an environment that has nothing of ours. Beside it, in the same
interleaved rounds: the same cell here, and a bare client of the same server that starts a kernel there,
connects and executes, and keeps nothing. Warm is where a kernel waits, since a job ran there before; each
measurement waits for it, as it is started behind the job before. `python benchmarks/remote.py [--rounds N]`;
`--write` puts the table into README.md.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from goals import record
from peer import OURS, Peer
from report import arguments, machine, parsed

from jupyter_mlws.kernels.remote.caller import request
from jupyter_mlws.kernels.remote.codec import decode, encode
from jupyter_mlws.kernels.remote.server import RemoteServer
from tests.remotes.server import Elsewhere, running

WAYS = {
    "warm": "**jupyter_mlws**, a cell on another server, kernel warm",
    "cold": "**jupyter_mlws**, a cell on another server, kernel cold",
    "bare": "a bare client of that server, kernel cold, nothing kept",
    "here": "jupyter_mlws, the same cell on this machine, kernel warm",
}
GOALS = {"warm": "≤ 0.15", "cold": "≤ 1"}


async def bare(elsewhere: Elsewhere) -> float:
    """Return the seconds that the same takes without us: kernel, websocket, output."""
    began = time.perf_counter()
    server = RemoteServer(elsewhere.url, name="bare", token=lambda: elsewhere.token)
    kernel = await server.start(uuid.uuid4().hex, kernel="python3")
    try:
        socket = await server.connect(kernel, session_id=uuid.uuid4().hex, seconds=30)
        asked = {"code": "print(1 + 1)", "silent": False, "user_expressions": {}, "allow_stdin": False}
        wire = request("execute_request", asked, session=uuid.uuid4().hex, channel="shell")
        await socket.send(encode(wire, protocol=socket.protocol))
        while (data := await socket.receive()) is not None:
            if decode(data, protocol=socket.protocol).type == "stream":
                return time.perf_counter() - began
        raise RuntimeError("the connection was cut")
    finally:
        await server.delete(kernel)
        server.close()


def measure(*, rounds: int) -> dict[str, list[float]]:
    """Measure each way `rounds` times after one round that does not count, in turn."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    with running("server") as elsewhere:
        os.environ["MLWS_BENCHMARK_URL"] = elsewhere.url
        os.environ["MLWS_BENCHMARK_TOKEN"] = elsewhere.token
        peer = Peer(OURS)
        try:
            for number in range(rounds + 1):
                took = {
                    "warm": peer.measure("first_output_there_warm"),
                    "cold": peer.measure("first_output_there_cold"),
                    "bare": asyncio.run(bare(elsewhere)),
                    "here": peer.measure("first_output"),
                }
                for way, each in took.items():
                    if number:
                        seconds[way].append(each)
        finally:
            peer.close()
    return seconds


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="2 rounds")
    parser.add_argument("--rounds", type=int, default=9, help="that count (default 9)")
    options = parsed(parser, name="remote")
    rounds = 2 if options.quick else options.rounds
    where = machine()
    seconds = measure(rounds=rounds)
    ours = statistics.median(seconds["warm"])
    lines = [
        "| first output of `print(1 + 1)` | goal | s, median | least | most | ratio |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for way, described in WAYS.items():
        middle = statistics.median(seconds[way])
        lines.append(
            f"| {described} | {GOALS.get(way, '')} | {middle:.3f} | {min(seconds[way]):.3f} "
            f"| {max(seconds[way]):.3f} "
            f"| {middle / ours:.2f} × |"
        )
    text = "\n".join([*lines, "", f"{where}. Medians of {rounds} interleaved rounds."])
    print(text)
    if options.write:
        figures = {f"remote_{way}_s": statistics.median(seconds[way]) for way in ("warm", "cold")}
        record("remote", text, figures, where=where)


if __name__ == "__main__":
    main()
