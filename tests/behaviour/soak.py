#!/usr/bin/env python3
"""The two halves of soak.sh.

soak.py plan SEED RUNS                            a plan for simnet
soak.py run SEED RUNS PROGRAM PID STATS           the runs, against the simnet PID

Every peer answers, is silent, or loses some, for a random number of requests each. Every run has a
random part of the peers. After each run what the counters grew by is compared with what the
network counted meanwhile; runs with discarded rounds are only counted, as their results are not published.
So are those in which the network had to wait for a CPU, since its answers may have been late.
"""
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time

PEERS = 24
ROUNDS = 2
TIMEOUT_MS = 250
SERIES = re.compile(r'nodecanary_(requests|replies|unsent)_total\{group="default",peer="(\w+)"\} (\d+)')
VOIDED = re.compile(r'nodecanary_discarded_rounds_total\{.*\} (\d+)')


def address(peer):
    return f"10.1.0.{peer + 1}"


def plan(seed, runs):
    rng = random.Random(seed)
    for peer in range(PEERS):
        left, phases = runs * ROUNDS, []
        while left > 0:
            length = rng.randint(1, max(60, runs * ROUNDS // 8))  # simnet limits the phases
            what = rng.choice(["", "", "silent", "loss=20%", "delay=5ms jitter=4ms"])
            phases.append(f"{what} for={length}")
            left -= length
        phases.append("")
        print(address(peer), " then ".join(phases))


def write_config(rng):
    peers = list(range(PEERS)) if rng.random() < 0.3 else rng.sample(range(PEERS), rng.randint(0, PEERS))
    with open("x.ini", "w", encoding="utf-8") as out:
        print("[collector]\nfsync = no\ntrace = 0\n[probe]", f"count = {ROUNDS}", "warmup = 0", "interval = 1ms",
              f"timeout = {TIMEOUT_MS}ms", "[peers]", sep="\n", file=out)
        for peer in peers:
            print(f"p{peer} = {address(peer)}", file=out)
    return peers


def network_counts(pid, stats):
    """What simnet has seen: {peer: (requests, replies)}."""
    if os.path.exists(stats):
        os.unlink(stats)
    os.kill(pid, signal.SIGUSR1)
    while not os.path.exists(stats):
        time.sleep(0.001)
    counts = {f"p{peer}": (0, 0) for peer in range(PEERS)}
    by_address = {address(peer): f"p{peer}" for peer in range(PEERS)}
    with open(stats, encoding="utf-8") as lines:
        for line in lines:
            name = by_address.get(line.split()[0])
            if name:
                counts[name] = tuple(int(re.search(rf"{key}=(\d+)", line)[1])
                                     for key in ("requests", "replies"))
    return counts


def waited_ms(pid):
    """How long a process has waited for a CPU in its life."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e6


def published():
    """({peer: {name: counter}}, discarded rounds, text)"""
    with open("out/x.prom", encoding="utf-8") as file:
        text = file.read()
    counters = {}
    for name, peer, number in SERIES.findall(text):
        counters.setdefault(peer, {})[name] = int(number)
    return counters, sum(map(int, VOIDED.findall(text))), text


def differences(before, after, seen_before, seen):
    for peer in after:
        old = before.get(peer, {})
        for i, name in enumerate(("requests", "replies")):
            grown = after[peer][name] - old.get(name, 0)
            asked = seen[peer][i] - seen_before[peer][i]
            if grown != asked:
                yield f"{name} of {peer}: the network saw {asked}, the counter grew by {grown}"
        if after[peer]["unsent"] != old.get("unsent", 0):
            yield f"unsent of {peer}: {after[peer]['unsent']}, expected {old.get('unsent', 0)}"


def gauge(text, name):
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])


def print_growth(memory, cpu, sizes):
    quarter = max(1, len(memory) // 4)
    for name, numbers in (("kB", memory), ("CPU ms", cpu)):
        first, last = (statistics.median(part) for part in (numbers[:quarter], numbers[-quarter:]))
        print(f"{name}: {first:.0f} {last:.0f}")
    half = len(sizes) // 2
    if half:
        print(f"bytes: {max(sizes[:half])} {max(sizes[half:])}")


def run(seed, runs, program, pid, stats):
    rng = random.Random(seed + 1)
    os.makedirs("out", exist_ok=True)
    counters, discarded, checked, starved = {}, 0, 0, 0
    seen = network_counts(pid, stats)
    memory, cpu, sizes = [], [], []
    for number in range(runs):
        peers = write_config(rng)
        waited = waited_ms(pid)
        with open("messages", "ab") as messages:
            subprocess.run([program, "-c", "x.ini", "-o", os.path.abspath("out/x.prom")],
                           check=True, stderr=messages)
        seen_before, seen = seen, network_counts(pid, stats)
        before, discarded_before = counters, discarded
        counters, discarded, text = published()
        if set(counters) != {f"p{peer}" for peer in peers}:
            sys.exit(f"run {number}: peers {sorted(counters)}, expected {sorted(peers)}")
        memory.append(gauge(text, "nodecanary_last_run_peak_memory_bytes") / 1024)
        cpu.append(gauge(text, "nodecanary_last_run_cpu_seconds") * 1000)
        if len(peers) == PEERS:
            sizes.append(len(text))
        if waited_ms(pid) - waited > TIMEOUT_MS / 3:
            starved += 1
        elif discarded == discarded_before:
            wrong = list(differences(before, counters, seen_before, seen))
            checked += 1
            if wrong:
                sys.exit("\n".join([f"run {number}:"] + wrong))
    print(f"{runs} runs, {checked} without a discarded round, "
          f"{starved} in which the network waited for a CPU, "
          f"{sum(requests for requests, _ in seen.values())} requests")
    if checked < (runs - starved) * 0.8 or starved > runs / 2:
        sys.exit("too many discarded rounds, or the machine is too busy")
    print_growth(memory, cpu, sizes)


if __name__ == "__main__":
    if sys.argv[1] == "plan":
        plan(int(sys.argv[2]), int(sys.argv[3]))
    else:
        run(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), sys.argv[6])
