"""Where the CPU time of a run of ours goes, found by leaving parts of it out."""

import os
import statistics
from dataclasses import dataclass


@dataclass
class Phases:
    """Medians, in seconds of CPU."""

    whole: float
    configure: float  # read the configuration, make the plan
    ping: float
    restore: float  # read the file of the last run
    publish: float


def median_cpu(meter, command, runs):
    return statistics.median(meter.run([command])[0].cpu_s for _ in range(runs))


def measure(program, fleet, meter, runs):
    """The network has to serve the fleet meanwhile."""
    program.prepare(fleet, meter.work)
    program.prime(meter, fleet, meter.work)
    config = program.config(meter.work)
    published = program.published(meter.work)
    nothing = os.path.join(meter.work, "nothing.prom")
    base = [program.path, "-c", config, "-o"]
    whole = median_cpu(meter, [*base, published], runs)
    unpublished = median_cpu(meter, [*base, published, "-n"], runs)
    only_pinged = median_cpu(meter, [*base, nothing, "-n"], runs)
    configure = median_cpu(meter, [program.path, "-c", config, "-C"], runs)
    return Phases(whole=whole, configure=configure, ping=only_pinged - configure,
                  restore=unpublished - only_pinged, publish=whole - unpublished)
