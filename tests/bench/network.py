"""The simulated network (tests/tools/simnet): on a core of its own, behind the device sim0."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass

BATCH = """\
address add 10.99.0.1/32 dev sim0
address add fd99::1/128 dev sim0 nodad
link set sim0 up
route add 10.0.0.0/8 dev sim0
route add fd00::/8 dev sim0
"""


@dataclass
class Snapshot:
    """What it has counted so far, by address, and how late its answers left: all, and the first
    since the last snapshot."""

    requests: dict
    replies: dict
    late_us: dict
    first_late_us: dict


class Traffic(Snapshot):
    """What it counted between two snapshots."""

    def total(self):
        return sum(self.requests.values())

    def late_mean_us(self):
        return sum(self.late_us.values()) / max(1, sum(self.replies.values()))

    def late_of(self, address, without_first=False):
        """The mean of an address in ms; WITHOUT_FIRST: of all but its first answer."""
        late_us, answers = self.late_us.get(address, 0), self.replies.get(address, 0)
        if without_first:
            late_us, answers = late_us - self.first_late_us.get(address, 0), answers - 1
        return late_us / 1000 / answers if answers > 0 else 0


def between(before, after):
    def gained(what):
        old = getattr(before, what)
        return {a: n - old.get(a, 0) for a, n in getattr(after, what).items()}

    return Traffic(gained("requests"), gained("replies"), gained("late_us"), after.first_late_us)


def wait_for(condition, seconds, what):
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.005)


def set_up_host():
    """Loopback, sockets of their own for those who know how to use them, and no packets of IPv6
    but those of the programs."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    ipv6 = "/proc/sys/net/ipv6/conf/default/"
    settings = {"/proc/sys/net/ipv4/ping_group_range": "0 0", ipv6 + "accept_ra": "0",
                ipv6 + "addr_gen_mode": "1", ipv6 + "router_solicitations": "0"}
    for path, value in settings.items():
        if os.access(path, os.W_OK):
            with open(path, "w", encoding="ascii") as setting:
                setting.write(value)


class Network:
    """`with Network(...) as network:` it answers for the peers of a fleet."""

    def __init__(self, program, core, work):
        self.program = program
        self.options = []
        self.core = core
        self.stats = os.path.join(work, "simnet.stats")
        self.plan = os.path.join(work, "simnet.plan")
        self.ready = os.path.join(work, "simnet.ready")
        self.process = None

    def serve(self, fleet, wakeful=False):
        """WAKEFUL: it uses all of its core, lest its waking up be measured."""
        self.options = ["-w"] if wakeful else []
        with open(self.plan, "w", encoding="ascii") as plan:
            plan.write(fleet.plan())
        return self

    def __enter__(self):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(self.core), self.program, *self.options, "-i", "sim0", "-p", self.plan,
             "-o", self.stats, "-r", self.ready])
        wait_for(lambda: os.path.exists(self.ready), 20, "the simulated network")
        subprocess.run(["ip", "-batch", "-"], input=BATCH, text=True, check=True)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        os.unlink(self.ready)

    def since(self, before):
        return between(before, self.snapshot())

    def snapshot(self):
        """Not in the middle of a measurement: answers wait while it is written."""
        if os.path.exists(self.stats):
            os.unlink(self.stats)
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(self.stats), 20, "the network's counts")
        with open(self.stats, encoding="ascii") as stats:
            return parse(stats)


def numbers(words):
    pairs = (word.split("=", 1) for word in words if "=" in word)
    return {key: int(value) for key, value in pairs if value.lstrip("-").isdigit()}


def parse(lines):
    found = Snapshot({}, {}, {}, {})
    next(lines)  # of all together
    for line in lines:
        address, *words = line.split()
        counts = numbers(words)
        if counts["requests"]:
            found.requests[address] = counts["requests"]
            found.replies[address] = counts["replies"]
            found.late_us[address] = counts["late_ns"] / 1000
            found.first_late_us[address] = counts["first_late_ns"] / 1000
    return found
