"""What a booted node spends on one start of a unit (start-cost.sh)."""

import os
import statistics
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = os.path.join(os.path.dirname(HERE), "node", "run")
BARE, SHIPPED, IN_MOUNTS = "bare", "nodecanary", "nodecanary-in-mounts"
NEAR = 20  # mounts
UNITS = {BARE: "a bare unit that runs `true`", SHIPPED: "nodecanary.service",
         IN_MOUNTS: "the same with mount-sandbox.conf"}


@dataclass
class Starts:
    """CPU of the node in ms: medians, by unit and number of mounts."""

    cpu_ms: dict

    def mounts(self):
        return sorted(self.cpu_ms[BARE])

    def factor(self, unit, mounts):
        return self.cpu_ms[unit][mounts] / self.cpu_ms[BARE][mounts]

    def growth(self, unit):
        few, *_, many = self.mounts()
        return self.cpu_ms[unit][many] / self.cpu_ms[unit][few]


def parse(lines):
    """Lines of MOUNTS UNIT MICROSECONDS; systemd's own mounts of a unit that still ends may count."""
    samples, sizes = {}, []
    for line in lines:
        mounts, unit, microseconds = line.split()
        size = next((s for s in sizes if abs(s - int(mounts)) < NEAR), None)
        if size is None:
            size = int(mounts)
            sizes.append(size)
        samples.setdefault(unit, {}).setdefault(size, []).append(int(microseconds) / 1000)
    return Starts({unit: {size: statistics.median(values) for size, values in found.items()}
                   for unit, found in samples.items()})


def measure(work):
    """On all cores, or None where no node can be booted; the runner says why."""
    path = os.path.join(work, "start-cost")
    cores = f"0-{os.cpu_count() - 1}"
    subprocess.run(["taskset", "-c", cores, NODES, os.path.join(HERE, "start-cost.sh")],
                   env={**os.environ, "START_COST": path}, stdout=2, check=False)
    if not os.path.exists(path):
        return None
    with open(path, encoding="ascii") as lines:
        return parse(lines)
