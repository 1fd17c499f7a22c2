"""CPU of a run against fping's, and its accuracy: IPv4 and IPv6, six rounds and three, and where this
host has many addresses of its own."""

import subprocess
from dataclasses import dataclass

from fleet import Fleet
from programs import Fping, Nodecanary
from report import OURS
from sample import median, run_once

FAMILIES = (4, 6)
ROUNDS = (6, 3)
FEW_PEERS = 100  # all others are measured
LOCAL_ADDRESSES = 5000


@dataclass
class Case:
    """Samples by program."""

    peers: int
    family: int
    rounds: int
    local_addresses: int
    samples: dict

    def name(self):
        local = f", {self.local_addresses:,} local addresses" if self.local_addresses else ""
        return f"{self.peers:,} peers, IPv{self.family}, {self.rounds} rounds{local}"

    def cpu_s(self, program):
        return median(self.samples[program], lambda s: s.cpu_s)

    def share(self):
        """Of fping's CPU."""
        return self.cpu_s(OURS) / self.cpu_s(Fping.name)


def measure_case(bench, fleet, rounds, local_addresses=0):
    programs = [Nodecanary(bench.ours().path, probe=f"count = {rounds - 1}\n"), Fping(rounds)]
    case = Case(fleet.size, fleet.family, rounds, local_addresses, {p.name: [] for p in programs})
    bench.say(case.name())
    for program in programs:
        program.prepare(fleet, bench.work)
        program.prime(bench.meter, fleet, bench.work)
    for _ in range(bench.runs(fleet)):
        for program in programs:
            case.samples[program.name].append(
                run_once(program, fleet, bench.network, bench.meter))
    return case


def add_local_addresses():
    """They go with the network's device."""
    subprocess.run(["ip", "-batch", "-"], text=True, check=True, input="".join(
        f"address add 10.96.{i // 250}.{i % 250 + 1}/32 dev sim0\n" for i in range(LOCAL_ADDRESSES)))


def measure(bench):
    """A list of cases."""
    cases = []
    sizes = [peers for peers in bench.arguments.peers if peers > FEW_PEERS]
    for peers in sizes:
        for family in FAMILIES:
            fleet = Fleet(peers, family=family)
            with bench.network.serve(fleet):
                cases += [measure_case(bench, fleet, rounds) for rounds in ROUNDS]
                if peers == max(sizes) and family == FAMILIES[0]:
                    add_local_addresses()
                    cases.append(measure_case(bench, fleet, ROUNDS[-1], LOCAL_ADDRESSES))
    return cases


def growth(cases):
    """How many times the CPU the local addresses cost, by number of peers."""
    def of_ours(like, local_addresses):
        return next(case.cpu_s(OURS) for case in cases
                    if (case.peers, case.family, case.rounds, case.local_addresses)
                    == (like.peers, like.family, like.rounds, local_addresses))

    return {case.peers: of_ours(case, case.local_addresses) / of_ours(case, 0)
            for case in cases if case.local_addresses}
