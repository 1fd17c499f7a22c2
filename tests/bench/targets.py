"""What we mean to reach, and whether this run shows it."""

import scale
from fleet import DELAYS_MS
from report import OURS
from sample import KB, median_error
from starts import SHIPPED
from table import Table

STATIC = "nodecanary static"


class Targets:
    """One line for each target of which the figures tell anything."""

    def __init__(self, figures):
        self.figures = figures
        self.table = Table("Targets", ["target", "measured", "wanted", "met"], left=3)

    def at_most(self, what, value, limit, unit, scale=1):
        if value is None:
            return
        share = f"{value / limit:.0%} of it" if limit else ""
        self.table.add(what, f"{short(value / scale)} {unit} ({share})",
                       f"at most {short(limit / scale)} {unit}", yes(value <= limit))

    def memory(self):
        for peers, program, limit_mb in ((9, OURS, 2), (9, STATIC, 1.1), (1000, OURS, 3),
                                         (10000, OURS, 12)):
            self.at_most(f"peak memory of {program}, {peers:,} peers",
                         self.figures.median(peers, program, lambda s: s.peak_kb),
                         limit_mb * KB, "MB", KB)
        for program in (OURS, STATIC):
            self.at_most(f"private memory of {program}, 9 peers",
                         self.figures.median(9, program, lambda s: s.private_kb), 256, "kB")
            self.at_most(f"threads of {program}, 9 peers",
                         self.figures.median(9, program, lambda s: s.threads), 1, "thread")

    def starts(self):
        starts = self.figures.starts
        if not starts:
            return
        for mounts in starts.mounts():
            self.at_most(f"one start by systemd, {mounts} mounts, against a bare unit",
                         starts.factor(SHIPPED, mounts), 2.5, "times")
        self.at_most("the same with many mounts, against few", starts.growth(SHIPPED), 1.2, "times")
        few = starts.cpu_ms[SHIPPED][starts.mounts()[0]]
        for daemon in ("smokeping_prober", "blackbox_exporter"):
            theirs = self.figures.median(9, daemon, lambda s: s.cpu_s * 1000)
            if theirs:
                self.table.add(f"CPU of a node over an hour, 9 peers, below {daemon}",
                               f"{theirs / few:.1f} times", "at least 5 times",
                               yes(theirs >= 5 * few))

    def cpu(self):
        self.at_most("CPU of a whole run, 9 peers, 6 rounds",
                     self.figures.median(9, OURS, lambda s: s.cpu_s * 1000), 5, "ms")
        for case in self.figures.scale:
            if not case.local_addresses:
                self.at_most(f"CPU of a run against fping's, {case.name()}", case.share(), 0.7,
                             "times")
        for peers, times in scale.growth(self.figures.scale).items():
            self.at_most(f"CPU with {scale.LOCAL_ADDRESSES:,} local addresses, {peers:,} peers",
                         times, 1.1, "times")

    def against(self, what, other, ours, theirs, unit):
        if ours is not None and theirs is not None:
            self.table.add(what, f"{ours:,.1f} {unit}", f"{other}: {theirs:,.1f} {unit}",
                           yes(ours <= theirs))

    def memory_time(self):
        def held(program):
            return self.figures.median(9, program, lambda s: s.byte_seconds_per_hour)

        for other in ("smokeping_prober", "blackbox_exporter"):
            if held(OURS) and held(other):
                ratio = held(other) / held(OURS)
                self.table.add(f"memory × time over an hour, 9 peers, below {other}",
                               f"{ratio:.0f} times", "at least 100 times", yes(ratio >= 100))

    def accuracy(self):
        ours = self.figures.of(9, OURS)
        for other in ("fping -N", "ping"):
            for delay in DELAYS_MS:
                mine = median_error(ours, delay)
                theirs = median_error(self.figures.of(9, other), delay)
                if mine and theirs:
                    self.against(f"mean error at {delay:g} ms, 9 peers", other,
                                 abs(mine[0]), abs(theirs[0]), "µs")

    def counts(self):
        verdict = self.figures.verdicts.get(OURS)
        if verdict:
            self.table.add("counts of 3,000 peers, every second one down",
                           "exact" if verdict.exact else "not exact", "exact",
                           yes(verdict.exact))

    def file(self):
        for peers, phases in self.figures.phases.items():
            spent = (phases.restore + phases.publish) * 1000
            self.against(f"CPU of reading back and writing, {peers:,} peers", "pinging",
                         spent, phases.ping * 1000, "ms")


def short(number):
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def yes(met):
    return "yes" if met else "NO"


def target_table(figures):
    targets = Targets(figures)
    for check in (targets.memory, targets.starts, targets.cpu, targets.memory_time, targets.accuracy,
                  targets.counts, targets.file):
        check()
    return targets.table
