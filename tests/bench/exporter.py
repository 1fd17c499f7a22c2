"""What our file costs its reader: node_exporter, with and without it."""

import os
import shutil
import statistics
import time
from dataclasses import dataclass

from daemons import await_start, fetch, held
from process import Daemon

PORT = 9100
SCRAPES = 5


@dataclass
class Reader:
    """Medians of scrapes, and its memory after them."""

    file_bytes: int
    scrape_s: float
    cpu_s: float
    resident_kb: int
    peak_kb: int


def read(file, core, work):
    """FILE may be None: an empty directory."""
    directory = os.path.join(work, "textfile")
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory)
    if file:
        shutil.copy(file, directory)
    command = ["prometheus-node-exporter", f"--collector.textfile.directory={directory}",
               f"--web.listen-address=127.0.0.1:{PORT}", "--log.level=error"]
    with Daemon(command, core, os.path.join(work, "node_exporter")) as daemon:
        await_start(PORT, 30)
        times, costs = [], []
        for _ in range(SCRAPES):
            cpu_s, start = daemon.cpu_s(), time.monotonic()
            fetch(PORT, "/metrics")
            times.append(time.monotonic() - start)
            costs.append(daemon.cpu_s() - cpu_s)
        resident_kb, peak_kb, _ = held(daemon)
    return Reader(os.path.getsize(file) if file else 0, statistics.median(times),
                  statistics.median(costs), resident_kb, peak_kb)
