"""Where the CPU time of a run of ours goes. What it has used up before it writes its file, it says
there; and listing the peers reads the last file back, if there is one, and pings nobody."""

import os
import re
import statistics
from dataclasses import astuple, dataclass

OWN_CPU = re.compile(r"^nodecanary_last_run_cpu_seconds (\S+)$", re.MULTILINE)


@dataclass
class Phases:
    """In seconds of CPU."""

    configure: float  # read the configuration, make the plan
    ping: float
    restore: float  # read the file of the last run
    publish: float
    whole: float


def own_cpu_s(path):
    with open(path, encoding="ascii") as published:
        return float(OWN_CPU.search(published.read()).group(1))


def measure_once(program, meter):
    published = program.published(meter.work)
    base = [program.path, "-c", program.config(meter.work), "-o"]

    def cpu_s(*words):
        return meter.run([[*base, *words]])[0].cpu_s

    whole = cpu_s(published)
    before_writing = own_cpu_s(published)
    configure = cpu_s(published, "-C")
    restore = cpu_s(published, "-l") - cpu_s(os.path.join(meter.work, "nothing.prom"), "-l")
    return Phases(configure=configure, ping=before_writing - configure - restore,
                  restore=restore, publish=whole - before_writing, whole=whole)


def measure(program, fleet, meter, runs):
    """Medians. The network has to serve the fleet meanwhile."""
    program.prepare(fleet, meter.work)
    program.prime(meter, fleet, meter.work)
    found = [astuple(measure_once(program, meter)) for _ in range(runs)]
    return Phases(*map(statistics.median, zip(*found)))
