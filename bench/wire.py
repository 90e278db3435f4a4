"""How many bytes does a sale take on the line, both ways, session and probes included?"""

import time
from pathlib import Path

from bench.draining import Draining
from bench.figure import Figure, Size, figure
from bench.tills import LINES
from holdfast.demo.line import line_to
from tests.office import Office

SINGLE = 20
"""Sales that are sent each for itself."""


def run(folder: Path, size: Size) -> list[Figure]:
    with Office(folder / "office") as office, line_to("127.0.0.1", office.port) as line:
        home = office.register("R01", folder / "R01", url=line.url)
        with Draining([home]) as draining:
            time.sleep(2)  # what the first contact brings down is not a sale's
            before = line.bytes_up + line.bytes_down
            draining.drain_s(size.drain)
            batched = (line.bytes_up + line.bytes_down - before) / size.drain
            before = line.bytes_up + line.bytes_down
            for number in range(SINGLE):
                draining.drain_s(1, seed=100 + number)
            single = (line.bytes_up + line.bytes_down - before) / SINGLE
    name = f"a sale of {LINES} lines on the wire"
    return [
        figure(f"{name}, of {size.drain:,} owed", batched, "bytes", at_most=250),
        figure(f"{name}, sent by itself at once", single, "bytes"),
    ]
