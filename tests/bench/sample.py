"""One measurement of one program, and the medians of several."""

import statistics
from dataclasses import dataclass, field

from fleet import DELAYS_MS

RUNS_PER_HOUR = 240  # every 15 s
HOUR_S = 3600
KB = 1024


@dataclass
class Sample:
    """FALSE_LOSSES are requests reported lost that the network answered."""

    peak_kb: float
    private_kb: float
    byte_seconds_per_hour: float
    cpu_s: float
    requests: int
    false_losses: int
    errors_us: dict = field(default_factory=dict)  # by delay: (mean, worst or None)
    wall_s: float = None
    threads: int = None
    late_mean_us: float = 0.0

    def take_times(self, other):
        """The round-trip times of another run in place of its own."""
        self.errors_us, self.late_mean_us = other.errors_us, other.late_mean_us

    def cpu_ms_per_thousand(self):
        return self.cpu_s * 1e6 / self.requests


@dataclass
class Cannot:
    """Why there is no measurement."""

    reason: str


def errors_of(seen, delay_ms, late_ms):
    """By delay: the mean over the peers of how far off their means are, where LATE_MS is what the
    network itself was late for each, and the farthest of all values, in microseconds."""
    result = {}
    for delay in DELAYS_MS:
        known = {address: s for address, s in seen.items()
                 if delay_ms[address] == delay and s.mean is not None}
        if known:
            far = [max(s.most - delay, delay - s.least) for s in known.values()
                   if s.most is not None]
            result[delay] = (statistics.fmean(s.mean - delay - late_ms(address)
                                              for address, s in known.items()) * 1000,
                             max(far) * 1000 if far else None)
    return result


def false_losses(seen, traffic):
    """A peer that it does not mention is reported as lost altogether."""
    wrong = 0
    for address, requests in traffic.requests.items():
        truly_lost = requests - traffic.replies.get(address, 0)
        told = seen.get(address)
        lost = requests if told is None else told.sent - told.replies
        wrong += max(0, lost - truly_lost)
    return wrong


def run_once(program, fleet, network, meter):
    before = network.snapshot()
    cost, outputs = meter.run(program.commands(fleet, meter.work))
    traffic = network.since(before)
    if traffic.total() == 0:
        raise RuntimeError(f"{program.name} sent nothing: {outputs[0][:500]}")
    seen = program.seen(fleet, meter.work, outputs)
    return Sample(peak_kb=cost.peak_kb, private_kb=cost.private_kb,
                  byte_seconds_per_hour=cost.peak_kb * KB * cost.wall_s * RUNS_PER_HOUR,
                  cpu_s=cost.cpu_s, requests=traffic.total(),
                  false_losses=false_losses(seen, traffic),
                  errors_us=errors_of(seen, fleet.delay_ms,
                                      lambda peer: traffic.late_of(peer, program.warms_up)),
                  wall_s=cost.wall_s, threads=cost.threads, late_mean_us=traffic.late_mean_us())


def median(samples, value):
    """Of what VALUE finds in them, without those in which it finds nothing."""
    values = [v for v in map(value, samples) if v is not None]
    return statistics.median(values) if values else None


def median_error(samples, delay):
    """(mean, worst) in microseconds, or None."""
    with_delay = [s.errors_us[delay] for s in samples if delay in s.errors_us]
    if not with_delay:
        return None
    return median(with_delay, lambda e: e[0]), median(with_delay, lambda e: e[1])
