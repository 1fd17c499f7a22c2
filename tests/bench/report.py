"""What was measured, in tables."""

from fleet import DELAYS_MS
from sample import KB, Cannot, median, median_error
from starts import BARE, UNITS
from table import Table

OURS = "nodecanary"


def megabytes(kilobytes):
    return f"{kilobytes / KB:.2f} MB"


def factor(value, ours):
    """How many times what ours needs."""
    if not ours or value is None:
        return ""
    ratio = value / ours
    return f" ({ratio:.0f}×)" if ratio >= 9.95 else f" ({ratio:.1f}×)"


def off(error):
    """A mean and a worst error in microseconds."""
    if error is None:
        return "-"
    mean, worst = error
    return f"{mean:.0f} / " + ("?" if worst is None else f"{worst:.0f}")


class Figures:
    """All samples: results[peers][program] is a list of them, or a Cannot."""

    def __init__(self):
        self.empty_cpu_s = None
        self.results = {}
        self.one_silent = {}  # as results[9], where one of them is
        self.readers = {}
        self.phases = {}  # by peers
        self.verdicts = {}
        self.scale = []
        self.starts = None

    def of(self, peers, program):
        """The list of samples; empty where there is none."""
        found = self.results.get(peers, {}).get(program, [])
        return [] if isinstance(found, Cannot) else found

    def median(self, peers, program, value):
        return median(self.of(peers, program), value)

    def cells(self, peers):
        return self.results.get(peers, {}).items()


def cost_table(figures):
    table = Table("Memory, CPU and false losses", [
        "peers", "program", "requests", "peak memory", "private", "memory × time per hour",
        "CPU per 1,000 requests", "false losses"], left=2)
    for peers in sorted(figures.results):
        for program, found in figures.cells(peers):
            if isinstance(found, Cannot):
                table.add(f"{peers:,}", program, found.reason)
            else:
                table.add(f"{peers:,}", program, *cost_cells(figures, peers, found))
    for program, found in figures.one_silent.items():
        table.add("9, one unresponsive", program, *cost_cells(figures, 9, found))
    return table


def cost_cells(figures, peers, samples):
    def cell(value, show):
        mine = median(samples, value)
        return show(mine) + factor(mine, figures.median(peers, OURS, value))

    lost = sum(s.false_losses for s in samples)
    return [f"{median(samples, lambda s: s.requests):,.0f}",
            cell(lambda s: s.peak_kb, megabytes), cell(lambda s: s.private_kb, megabytes),
            cell(lambda s: s.byte_seconds_per_hour, lambda v: f"{v / KB / KB:,.0f} MB s"),
            cell(lambda s: s.cpu_ms_per_thousand(), lambda v: f"{v:.1f} ms"),
            f"{lost:,} of {sum(s.requests for s in samples):,}"]


def error_table(figures):
    table = Table("Round-trip times: error in µs, mean / worst, at each delay of the network",
                  ["peers", "program", *(f"{delay:g} ms" for delay in DELAYS_MS),
                   "network late"], left=2)
    for peers in sorted(figures.results):
        for program, found in figures.cells(peers):
            if not isinstance(found, Cannot):
                late = median(found, lambda s: s.late_mean_us)
                table.add(f"{peers:,}", program,
                          *(off(median_error(found, delay)) for delay in DELAYS_MS),
                          f"{late:.0f}")
    return table


def scale_table(figures):
    table = Table("CPU of a run and mean error at 10 ms, by family and rounds", [
        "", OURS, "fping", "share of fping", f"error of {OURS}", "error of fping"])
    for case in figures.scale:
        ours, fping = case.samples.values()
        table.add(case.name(), *(milliseconds(median(s, lambda s: s.cpu_s)) for s in (ours, fping)),
                  f"{case.share():.2f}",
                  *(f"{median_error(s, 10.0)[0]:.0f} µs" for s in (ours, fping)))
    return table


def reader_table(figures):
    table = Table("node_exporter that reads the file of nodecanary",
                  ["peers", "file", "resident", "peak memory", "scrape", "CPU of a scrape"])
    without = figures.readers.get(0)
    for peers, reader in sorted(figures.readers.items()):
        table.add(f"{peers:,}" if peers else "no file", f"{reader.file_bytes / KB / KB:.1f} MB",
                  *(show(value) + (factor(value, base) if peers else "") for show, value, base in (
                      (megabytes, reader.resident_kb, without.resident_kb),
                      (megabytes, reader.peak_kb, without.peak_kb),
                      (milliseconds, reader.scrape_s, without.scrape_s),
                      (milliseconds, reader.cpu_s, without.cpu_s))))
    return table


def milliseconds(seconds):
    return f"{seconds * 1000:,.1f} ms"


def phase_table(figures):
    table = Table("CPU of a run of nodecanary, by what it does",
                  ["peers", "configuration", "pinging", "reading the previous file back",
                   "writing the next one", "whole run"])
    for peers, phases in sorted(figures.phases.items()):
        table.add(f"{peers:,}", *map(milliseconds, (
            phases.configure, phases.ping, phases.restore, phases.publish, phases.whole)))
    return table


def verdict_table(figures):
    table = Table("3,000 peers, every second one down", [
        "program", "down peers reported up", "responsive peers reported down", "false losses",
        "counts are the network's"])
    for program, verdict in figures.verdicts.items():
        table.add(program, f"{verdict.dead_up:,}", f"{verdict.live_down:,}",
                  f"{verdict.false_losses:,}", "yes" if verdict.exact else "no")
    return table


def start_table(figures):
    """Daemons are not started, so theirs is what they use in the time between two starts."""
    starts = figures.starts
    table = Table("One start by systemd with 9 peers: CPU of the whole node",
                  ["unit", *(f"{mounts} mounts" for mounts in starts.mounts())],
                  notes=["In brackets: how many times the bare unit. Other work of the machine "
                         "raises all figures; compare them within the table."])
    for unit, name in UNITS.items():
        table.add(name, *(f"{starts.cpu_ms[unit][mounts]:,.1f} ms"
                          f" ({starts.factor(unit, mounts):.1f}×)" for mounts in starts.mounts()))
    for daemon in ("smokeping_prober", "blackbox_exporter"):
        spent = figures.median(9, daemon, lambda s: s.cpu_s * 1000)
        if spent is not None:
            table.add(f"{daemon}, the same requests in 15 s",
                      *(f"{spent:.1f} ms ({spent / starts.cpu_ms[BARE][mounts]:.1f}×)"
                        for mounts in starts.mounts()))
    return table


def tables(figures):
    chosen = [(figures.starts, start_table), (figures.results, cost_table), (figures.results, error_table),
              (figures.scale, scale_table),
              (figures.readers, reader_table), (figures.phases, phase_table),
              (figures.verdicts, verdict_table)]
    return [make(figures) for there, make in chosen if there]
