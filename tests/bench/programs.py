"""The programs that ping and end. Each sends six requests to each peer, 56 bytes long, one
every 200 ms, and waits a second for replies."""

import os
import re
from dataclasses import dataclass


@dataclass
class Seen:
    """What a program says of one peer; times in ms, None where it does not tell."""

    sent: int
    replies: int
    mean: float = None
    least: float = None
    most: float = None


def seen_of(times, sent):
    if not times:
        return Seen(sent, 0)
    return Seen(sent, len(times), sum(times) / len(times), min(times), max(times))


class Program:
    """What all have in common."""

    largest = None  # peers that it is run with, and why not more
    why = ""
    precision = False  # run for its round-trip times alone
    warms_up = False  # does not measure its first request to a peer
    keeps = False  # takes something over from its last run

    def prepare(self, fleet, work):
        """Before the first of its runs."""

    def prime(self, meter, fleet, work):
        """A run before those that are measured: caches are warm for all."""
        meter.run(self.commands(fleet, work))


def address_file(fleet, work):
    path = os.path.join(work, "addresses")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(fleet.addresses) + "\n")
    return path


class Nodecanary(Program):
    """Ours: one of the six rounds is a warm-up that it does not count."""

    keeps = True
    warms_up = True
    FIELDS = {"loss_ratio": "loss", "rtt_mean_seconds": "mean", "rtt_min_seconds": "least",
              "rtt_max_seconds": "most"}
    SERIES = re.compile(r'nodecanary_(loss_ratio|rtt_(?:mean|min|max)_seconds)'
                        r'\{group="default",peer="worker(\d+)"\} (\S+)')

    def __init__(self, path, name="nodecanary", probe=""):
        self.path, self.name, self.probe = path, name, probe
        self.measured = int((re.search(r"count = (\d+)", probe) or [0, 5])[1])

    def config(self, work):
        return os.path.join(work, f"{self.name}.ini")

    def published(self, work):
        return os.path.join(work, f"{self.name}.prom")

    def prepare(self, fleet, work):
        with open(self.config(work), "w", encoding="ascii") as out:
            out.write(fleet.config(self.probe))
        if os.path.exists(self.published(work)):
            os.unlink(self.published(work))

    def commands(self, _, work):
        return [[self.path, "-c", self.config(work), "-o", self.published(work)]]

    def seen(self, fleet, work, _):
        values = {address: {} for address in fleet.addresses}
        with open(self.published(work), encoding="ascii") as lines:
            for line in lines:
                match = self.SERIES.match(line)
                if match:
                    field, number, value = match.groups()
                    values[fleet.addresses[int(number) - 1]][self.FIELDS[field]] = float(value)
        return {address: self._seen(value) for address, value in values.items()}

    def _seen(self, value):
        replies = round(self.measured * (1 - value.get("loss", 0)))
        return Seen(self.measured, replies,
                    *(value[key] * 1000 if key in value else None
                      for key in ("mean", "least", "most")))


class NodecanaryCounters(Nodecanary):
    """The counters of its first run, in which all rounds count."""

    SERIES = re.compile(r'nodecanary_(requests|replies)_total'
                        r'\{group="default",peer="worker(\d+)"\} (\d+)')
    FIELDS = {"requests": "requests", "replies": "replies"}

    def __init__(self, path):
        super().__init__(path, probe="count = 6\nwarmup = 0\n")

    def _seen(self, value):
        return Seen(int(value.get("requests", 0)), int(value.get("replies", 0)))


class Fping(Program):
    """As close after each other as ours sends. Without -t it would wait for no longer than -p;
    with -i 0 it would cost a little less and lose replies from 1,000 peers on."""

    name = "fping"

    def __init__(self, rounds=6):
        self.rounds = rounds

    def commands(self, fleet, work):
        return [["fping", "-q", "-C", str(self.rounds), "-p", "200", "-i", "0.01", "-t", "1000", "-b", "56",
                 "-f", address_file(fleet, work)]]

    def seen(self, fleet, _, outputs):
        result = {}
        for line in outputs[0].splitlines():
            address, colon, values = line.partition(" : ")
            if colon and address.strip() in fleet.delay_ms:
                times = [float(value) for value in values.split() if value != "-"]
                result[address.strip()] = seen_of(times, len(values.split()))
        return result


class FpingExact(Program):
    """It prints three digits, but whole nanoseconds in this form, of five of six requests."""

    name = "fping -N"
    largest, why = 100, "as fping"
    precision = True
    VALUES = re.compile(r"^BEGIN fping\.(\d+_\d+_\d+_\d+)_latency\n"
                        r"SET min = (\d+)\nSET avg = (\d+)\nSET max = (\d+)$", re.MULTILINE)

    def commands(self, fleet, work):
        return [["fping", "-c", "6", "-Q", "1", "-N", "-p", "200", "-i", "0.01", "-t", "1000",
                 "-b", "56", "-f", address_file(fleet, work)]]

    def seen(self, _, __, outputs):
        result = {}
        for name, least, mean, most in self.VALUES.findall(outputs[0]):
            result[name.replace("_", ".")] = Seen(
                5, 5, int(mean) / 1e6, int(least) / 1e6, int(most) / 1e6)
        return result


class Oping(Program):
    """The tool of the library that ours is built on."""

    name = "oping"
    REPLY = re.compile(r"^\d+ bytes from (\S+) .*time=([\d.]+) ms$", re.MULTILINE)

    def commands(self, fleet, work):
        return [["oping", "-c", "6", "-i", "0.2", "-w", "1", "-f", address_file(fleet, work)]]

    def seen(self, fleet, _, outputs):
        times = {address: [] for address in fleet.addresses}
        for address, value in self.REPLY.findall(outputs[0]):
            times[address].append(float(value))
        return {address: seen_of(values, 6) for address, values in times.items()}


class Ping(Program):
    """A process for each peer."""

    name = "ping"
    largest, why = 100, "a process for each peer"
    COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) received")
    TIMES = re.compile(r"= ([\d.]+)/([\d.]+)/([\d.]+)/")

    def commands(self, fleet, _):
        return [["ping", "-q", "-n", "-c", "6", "-i", "0.2", "-W", "1", "-s", "56", address]
                for address in fleet.addresses]

    def seen(self, fleet, _, outputs):
        return {address: self._seen(output)
                for address, output in zip(fleet.addresses, outputs)}

    def _seen(self, output):
        counts, times = self.COUNTS.search(output), self.TIMES.search(output)
        if not counts:
            return Seen(6, 0)
        sent, replies = map(int, counts.groups())
        if not times:
            return Seen(sent, replies)
        least, mean, most = map(float, times.groups())
        return Seen(sent, replies, mean, least, most)
