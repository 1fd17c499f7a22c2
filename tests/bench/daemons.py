"""The programs that stay: started, left to themselves for a while, then watched for as long as
ours needs for one run, in which they send as many requests to each peer."""

import asyncio
import gzip
import os
import time
import urllib.error
import urllib.request

from network import wait_for
from process import Daemon
from programs import Seen
from sample import HOUR_S, KB, Cannot, Sample, errors_of

WINDOW_S = 15
REQUESTS = 6  # of each peer in a window
INTERVAL_S = WINDOW_S / REQUESTS
ENOUGH = 0.95  # of the requests that a window should have
SCRAPE_TIMEOUT_S = 10  # Prometheus' own
SETTLE_S = 0.5  # later than the last answer to what was asked before


class Unfit(Exception):
    """It cannot do what it is asked; the text says why."""


class Hindered(Exception):
    """It could not show what it can do."""


def fetch(port, path):
    """As Prometheus asks: compressed."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}",
                                     headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=SCRAPE_TIMEOUT_S) as answer:
        return answer.read(), answer.headers.get("Content-Encoding")


def get(port, path):
    body, encoding = fetch(port, path)
    return (gzip.decompress(body) if encoding == "gzip" else body).decode()


def answers(port, path="/metrics"):
    try:
        fetch(port, path)
    except (urllib.error.URLError, OSError):
        return False
    return True


def scrape(port):
    try:
        return get(port, "/metrics")
    except (urllib.error.URLError, OSError) as error:
        raise Unfit(f"no answer to a scrape within {SCRAPE_TIMEOUT_S} s") from error


def await_start(port, seconds):
    try:
        wait_for(lambda: answers(port), seconds, "it")
    except TimeoutError as error:
        raise Unfit(f"it did not answer within {seconds} s of its start") from error


def age(port, seconds):
    """Scrapes of five minutes, or as many as it can answer: its heap has grown by then."""
    end = time.monotonic() + seconds
    for _ in range(20):
        if time.monotonic() < end:
            scrape(port)
    time.sleep(max(0, end - time.monotonic()))


def held(daemon):
    """Resident, its peak, and what of it is its own, in kB."""
    memory = daemon.memory()
    return memory["VmRSS"], memory["VmHWM"], memory["RssAnon"]


def check_rate(sent, fleet, seconds, cpu_s):
    """Of a window of that many seconds. If it did too little, though what it needed for that shows
    that one core would do, something else was in its way: us, or other work."""
    share = sent / (fleet.size * REQUESTS * seconds / WINDOW_S)
    if share < ENOUGH:
        cores = cpu_s / seconds / share
        reason = f"sent {share:.0%} of its requests; all of them would take {cores:.1f} cores"
        raise Unfit(reason) if cores > ENOUGH else Hindered(reason)


class Resident:
    """What both have in common."""

    def __init__(self):
        self.failed_at = None  # the fewest peers that it could not do

    def measure(self, fleet, network, core, work):
        """A Sample, or a Cannot."""
        if self.failed_at and fleet.size > self.failed_at:
            return Cannot(f"not run: it could not do {self.failed_at:,}")
        try:
            with Daemon(self.command(fleet, work), core, os.path.join(work, self.name)) as daemon:
                return self.watch(daemon, fleet, network)
        except Unfit as unfit:
            self.failed_at = fleet.size
            return Cannot(f"cannot: {unfit}")
        except Hindered as hindered:
            return Cannot(f"not measured, the machine is too busy: {hindered}")

    def sample(self, daemon, cpu_s, traffic, lost, errors_us):
        resident_kb, peak_kb, own_kb = held(daemon)
        return Sample(peak_kb=peak_kb, private_kb=own_kb,
                      byte_seconds_per_hour=resident_kb * KB * HOUR_S, cpu_s=cpu_s,
                      requests=traffic.total(), false_losses=lost, errors_us=errors_us,
                      late_mean_us=traffic.late_mean_us())


class Smokeping(Resident):
    """Over ICMP sockets of the kernel (protocol udp): over raw ones, its default, each of its
    sockets gets every reply, and it loses most of them from 1,000 peers on."""

    name = "smokeping_prober"
    PORT = 9374

    def command(self, fleet, work):
        path = os.path.join(work, "smokeping.yml")
        with open(path, "w", encoding="ascii") as out:
            out.write(f"targets:\n- interval: {INTERVAL_S}s\n  network: ip4\n  protocol: udp\n"
                      "  size: 56\n  hosts:\n")
            out.writelines(f"  - {address}\n" for address in fleet.addresses)
        return ["prometheus-smokeping-prober", f"--config.file={path}", "--log.level=error",
                f"--web.listen-address=127.0.0.1:{self.PORT}"]

    def watch(self, daemon, fleet, network):
        """Its first reply of each peer is not in its counts: only differences are taken. The
        doubtful edges of the window are in its favour."""
        await_start(self.PORT, 30)
        age(self.PORT, INTERVAL_S)
        first = timings(scrape(self.PORT))
        before, cpu_s, start = network.snapshot(), daemon.cpu_s(), time.monotonic()
        time.sleep(WINDOW_S)
        in_window = network.since(before)
        time.sleep(SETTLE_S)
        last = timings(scrape(self.PORT))
        cpu_s = daemon.cpu_s() - cpu_s
        seconds = time.monotonic() - start
        traffic = network.since(before)
        check_rate(traffic.total(), fleet, seconds, cpu_s)
        lost = sum(max(0, replies - counted(first, last, address).replies)
                   for address, replies in in_window.replies.items())
        seen = {address: counted(first, last, address) for address in fleet.addresses}
        return self.sample(daemon, cpu_s, traffic, lost,
                           errors_of(seen, fleet.delay_ms, in_window.late_of))


def timings(text):
    """By address: how many replies it counted, and the sum of their times in seconds."""
    result = {}
    for line in text.splitlines():
        for index, field in enumerate(("count", "sum")):
            start = f'smokeping_response_duration_seconds_{field}{{host="'
            if line.startswith(start):
                address = line[len(start):line.index('"', len(start))]
                result.setdefault(address, [0, 0])[index] = float(line.rsplit(" ", 1)[1])
    return result


def counted(first, last, address):
    """It has a histogram: of single times nothing is known."""
    count, total = (b - a for a, b in zip(first.get(address, (0, 0)), last.get(address, (0, 0))))
    return Seen(REQUESTS, round(count), total / count * 1000 if count else None)


class Blackbox(Resident):
    """It sends one request when it is asked to: as often as the others send by themselves."""

    name = "blackbox_exporter"
    PORT = 9115
    MODULE = "modules:\n  icmp:\n    prober: icmp\n    timeout: 1s\n    icmp:\n" \
             "      preferred_ip_protocol: ip4\n      payload_size: 56\n"

    def command(self, _, work):
        path = os.path.join(work, "blackbox.yml")
        with open(path, "w", encoding="ascii") as out:
            out.write(self.MODULE)
        return ["prometheus-blackbox-exporter", f"--config.file={path}", "--log.level=error",
                f"--web.listen-address=127.0.0.1:{self.PORT}"]

    def watch(self, daemon, fleet, network):
        await_start(self.PORT, 30)
        get(self.PORT, f"/probe?module=icmp&target={fleet.addresses[0]}")
        before, cpu_s, start = network.snapshot(), daemon.cpu_s(), time.monotonic()
        seen = asyncio.run(Prober(self.PORT, fleet).window())
        cpu_s = daemon.cpu_s() - cpu_s
        seconds = max(WINDOW_S, time.monotonic() - start)
        traffic = network.since(before)
        check_rate(traffic.total(), fleet, seconds, cpu_s)
        lost = sum(max(0, replies - seen[address].replies)
                   for address, replies in traffic.replies.items())
        return self.sample(daemon, cpu_s, traffic, lost,
                           errors_of(seen, fleet.delay_ms, traffic.late_of))


class Prober:
    """Asks for a probe of each peer every INTERVAL_S, evenly spread, as Prometheus would."""

    PATIENCE_S = 5  # behind the schedule

    def __init__(self, port, fleet):
        self.port = port
        self.fleet = fleet
        self.free = []  # connections that stay open
        self.times = {address: [] for address in fleet.addresses}

    async def window(self):
        """By address, what it was told."""
        start = asyncio.get_running_loop().time()
        probes = set()
        for i in range(REQUESTS * self.fleet.size):
            due = start + i * INTERVAL_S / self.fleet.size
            now = asyncio.get_running_loop().time()
            if now - due > self.PATIENCE_S:
                break
            if due > now:
                await asyncio.sleep(due - now)
            address = self.fleet.addresses[i % self.fleet.size]
            probe = asyncio.create_task(self.probe(address))
            probes.add(probe)
            probe.add_done_callback(probes.discard)
        if probes:
            await asyncio.wait(probes, timeout=self.PATIENCE_S)
        for _, writer in self.free:
            writer.close()
        return {address: self.seen(times) for address, times in self.times.items()}

    @staticmethod
    def seen(times):
        if not times:
            return Seen(REQUESTS, 0)
        return Seen(REQUESTS, len(times), sum(times) / len(times), min(times), max(times))

    async def probe(self, address):
        try:
            text = await self.get(f"/probe?module=icmp&target={address}")
        except (OSError, asyncio.IncompleteReadError):
            return
        values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                      if line.startswith("probe_"))
        if values.get("probe_success") == "1":
            self.times[address].append(
                float(values['probe_icmp_duration_seconds{phase="rtt"}']) * 1000)

    async def get(self, path):
        if self.free:
            reader, writer = self.free.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
                     .encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = await read_body(reader, head)
        self.free.append((reader, writer))
        return (gzip.decompress(body) if "content-encoding: gzip" in head else body).decode()


async def read_body(reader, head):
    if "transfer-encoding: chunked" not in head:
        length = head.split("content-length:", 1)[1].split("\r\n", 1)[0]
        return await reader.readexactly(int(length))
    body = b""
    while True:
        size = int(await reader.readline(), 16)
        chunk = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += chunk[:-2]
