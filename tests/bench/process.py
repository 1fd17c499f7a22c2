"""What processes cost, whether they end (tests/tools/measure.c) or stay."""

import os
import subprocess
import time
from dataclasses import dataclass


def cores():
    """(of the programs, of the network): the same if there is one only."""
    own = sorted(os.sched_getaffinity(0))
    return own[0], own[-1]


@dataclass
class Cost:
    """Of a run of one program, or of several at the same time."""

    wall_s: float
    cpu_s: float
    peak_kb: int
    private_kb: int
    threads: int


def private_kb(memory):
    """The peak of the anonymous memory: what the peak holds beyond the mapped files."""
    return max(memory["anon_kb"],
               memory["peak_kb"] - memory["file_kb"] - memory["shmem_kb"])


def read_measured(path):
    with open(path, encoding="ascii") as line:
        return {key: int(value) for key, value in
                (word.split("=") for word in line.read().split())}


def combined(runs):
    """Programs that run side by side share what is mapped from files."""
    return Cost(wall_s=max(run["wall_ns"] for run in runs) / 1e9,
                cpu_s=sum(run["user_us"] + run["system_us"] for run in runs) / 1e6,
                peak_kb=(runs[0]["peak_kb"] if len(runs) == 1 else
                         sum(map(private_kb, runs)) + max(run["file_kb"] for run in runs)),
                private_kb=sum(map(private_kb, runs)),
                threads=max(run["threads"] for run in runs))


class Meter:
    """Runs commands on the core of the programs."""

    def __init__(self, measure, core, work):
        self.measure = measure
        self.core = core
        self.work = work

    def _start(self, index, command):
        output = os.path.join(self.work, f"output.{index}")
        with open(output, "wb") as out:
            return subprocess.Popen(
                [self.measure, "-c", str(self.core), "-o",
                 os.path.join(self.work, f"measured.{index}"), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def run(self, commands):
        """All at the same time: their cost, and the texts that they wrote."""
        processes = [self._start(i, command) for i, command in enumerate(commands)]
        for process, command in zip(processes, commands):
            if process.wait() == 125:
                raise RuntimeError(f"not measured: {' '.join(command)}")
        runs, outputs = [], []
        for i in range(len(commands)):
            runs.append(read_measured(os.path.join(self.work, f"measured.{i}")))
            with open(os.path.join(self.work, f"output.{i}"), encoding="utf-8") as out:
                outputs.append(out.read())
        return combined(runs), outputs


def status_kb(pid):
    """VmHWM, RssAnon and so on of a process that lives."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        pairs = (line.split(":", 1) for line in status)
        return {key: int(value.split()[0]) for key, value in pairs
                if key.startswith(("Vm", "Rss", "Threads"))}


class Daemon:
    """`with Daemon(command, core, log) as daemon:` a process that stays until it is stopped."""

    def __init__(self, command, core, log):
        with open(log, "wb") as out:
            self.process = subprocess.Popen(["taskset", "-c", str(core), *command],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def memory(self):
        return status_kb(self.process.pid)

    def cpu_s(self):
        """Of all its threads: the CPU clock of a process is numbered after it."""
        return time.clock_gettime((~self.process.pid << 3) | 2)
