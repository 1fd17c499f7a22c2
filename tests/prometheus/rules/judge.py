#!/usr/bin/python3
"""The judge of the alerts: simulated fleets in which something is wrong, and what the shipped rules say about it.

    judge.py [--seeds N] [--only PATTERN]... [--table FILE] [--rules DIRECTORY] [--jobs N] [bounded | all]

For each fault it prints whom the rules accuse, after how long (median and worst of the seeds), for which share of the
time from then on until the fault ends, and who is accused wrongly. It fails if anybody is accused wrongly, if an
alert that is expected does not fire or comes too late, or if one does not end. `--table` writes the table of
packaging/prometheus/README.md. promtool evaluates the rules, all groups of them every 15 s. Fleets are jobs of their own,
many in a test: what an evaluation of a rule costs it costs once for all.
"""

import argparse
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys
import tempfile

import faults

STEP = 15
HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "../../../packaging/prometheus")
TOGETHER = 2500  # series in a test, about


def known_as(labels):
    """NodecanaryLoss{instance="n1:9100", peer="n2"} is "Loss n1>n2"."""
    node, peer = labels.get("instance", "").replace(":9100", ""), labels.get("peer", "")
    words = [labels["alertname"].replace("Nodecanary", "", 1)]
    if labels.get("group", "default") != "default":
        words.append(labels["group"] + ":")
    if labels.get("site"):
        words.append(f'{labels["level"]}={labels["site"]}')
    words.append(f"{node}>{peer}" if node and peer and node != peer else node or peer)
    words += [labels[name] for name in ("family", "reason", "dc") if labels.get(name)]
    return " ".join(word for word in words if word)


class Run:
    """A fault with one seed."""

    def __init__(self, fault, seed):
        self.fault = fault
        self.job = re.sub("[^a-z0-9]+", "-", fault.name.lower()).strip("-") + f"-{seed}"
        self.seed = seed
        self.fired = {}  # alert: [first, last, number of evaluations]

    def series(self):
        """As promtool wants it. A fault may need two fleets."""
        for number, fleet in enumerate(self.fault.fleets(self.seed)):
            yield from fleet.run(self.fault.until, self.job + ("-other" if number and fleet.job != "node" else "")).items()


def batches(runs):
    """Lists of runs of like length, with their series."""
    runs = sorted(runs, key=lambda run: (run.fault.scrape, run.fault.latency, run.fault.until))
    batch, count = [], 0
    for run in runs:
        if batch and (count > TOGETHER or run.fault.until > 1.5 * batch[0].fault.until
                      or run.fault.scrape != batch[0].fault.scrape or run.fault.latency != batch[0].fault.latency):
            yield batch
            batch, count = [], 0
        batch.append(run)
        count += run.fault.size
    if batch:
        yield batch


QUERIES = {
    "first": 'min_over_time(timestamp(ALERTS{alertstate="firing"})[%dm:15s])',
    "last": 'max_over_time(timestamp(ALERTS{alertstate="firing"})[%dm:15s])',
    "count": 'count_over_time(ALERTS{alertstate="firing"}[%dm])',
}


# What takes part in a test. promtool evaluates all of it every 15 s, whatever its interval, and these read hours or a
# day each time. Nothing comes of them where no delay changes, and while a window of six hours holds no more than one
# of 30 minutes.
LATENCY = ["nodecanary-past", "nodecanary-latency"]
SIX_HOURS = ["nodecanary-loss-6h"]


def groups_of(path):
    """[name, [rules]] of each group, without comments."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"(?m)^ *#.*\n", "", file.read())
    for group in re.split(r"(?m)^(?=  - name: )", text)[1:]:
        head, *rules = re.split(r"(?m)^(?=      - )", group)
        yield head, rules


def needed(rules, directory, scrape):
    """Writes the rules into `directory`, without texts, and without what no alert depends on."""
    files = [list(groups_of(os.path.join(rules, f"nodecanary.{name}.yml"))) for name in ("rules", "alerts")]
    files = [[(head, [re.sub(r"(?m)^        annotations:\n(          .*\n)+", "", rule) for rule in found]) for head, found in groups]
             for groups in files]
    every = [rule for groups in files for _, found in groups for rule in found]
    records = {match[1]: rule for rule in every if (match := re.match(r"      - record: (\S+)", rule))}
    sites = {rule for rule in every if rule.startswith("      - record: nodecanary:site:info")}  # one for each label
    wanted = {rule for rule in every if rule.startswith("      - alert:")} | sites
    texts = list(wanted)
    while texts:
        found = {records[name] for name in re.findall(r"[a-z]+:nodecanary_\w+(?::\w+)?|nodecanary:\w+:\w+", texts.pop())
                 if name in records} - wanted
        wanted |= found
        texts += found
    for kind in range(4):
        for name, groups in zip(("rules", "alerts"), files):
            with open(os.path.join(directory, f"{name}-{scrape}-{kind}.yml"), "w", encoding="utf-8") as file:
                file.write("groups:\n")
                for head, found in groups:
                    group = head.split()[2]
                    found = [rule for rule in found if rule in wanted]
                    if found and (kind & 1 or group not in LATENCY) and (kind & 2 or group not in SIX_HOURS):
                        file.write(head + "".join(found))


def prepare(rules, directory, scrapes):
    """The shipped files are for scrapes up to 30 s apart; for others they are generated."""
    for scrape in scrapes:
        made = rules
        if scrape > 30:
            made = os.path.join(directory, str(scrape))
            os.mkdir(made)
            subprocess.run([os.path.join(RULES, "generate"), made, f"scrapeSeconds={scrape}"], check=True)
        needed(made, directory, scrape)


def write(file, batch):
    minutes = max(run.fault.until for run in batch)
    kind = batch[0].fault.latency + 2 * (minutes > 45)
    scrape = batch[0].fault.scrape
    file.write(f"rule_files: [rules-{scrape}-{kind}.yml, alerts-{scrape}-{kind}.yml]\n")
    file.write(f"evaluation_interval: {STEP}s\n")
    file.write("group_eval_order: [nodecanary-pairs, nodecanary-sites, nodecanary-network, nodecanary-loss-30m, nodecanary-loss-6h,"
               " nodecanary-flapping, nodecanary-past, nodecanary-views, nodecanary-latency, nodecanary-paths,"
               " nodecanary-measurement]\n")
    file.write(f"tests:\n  - interval: {batch[0].fault.scrape}s\n    input_series:\n")
    for run in batch:
        for series, values in run.series():
            file.write(f"      - series: '{series}'\n        values: '{values}'\n")
    file.write("    promql_expr_test:\n")
    for query in QUERIES.values():
        file.write(f"      - expr: {query % minutes}\n        eval_time: {minutes}m\n        exp_samples: []\n")


def evaluate(directory, batch):
    """Asks promtool; fills in what fired."""
    with tempfile.NamedTemporaryFile("w", suffix=".test.yml", dir=directory) as file:
        write(file, batch)
        file.flush()
        got = subprocess.run(["promtool", "test", "rules", file.name], capture_output=True, text=True, check=False,
                             env=dict(os.environ, GOGC="400"))
    text = got.stdout + got.stderr
    jobs = {run.job: run for run in batch}
    if got.returncode and "got:" not in text:
        sys.exit(f"promtool: {text[:2000]}")
    for place, part in enumerate(re.split(r"\n\s*expr: ", text)[1:]):
        for labels, value in re.findall(r"\{(.*?)\} ([-+.eE0-9]+)", part[part.index("got:"):]):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            run = jobs.get(labels["job"]) or jobs[labels["job"].removesuffix("-other")]
            run.fired.setdefault(known_as(labels), [None, None, 0])[place] = float(value)
    return batch


def minutes(seconds):
    return "–" if seconds is None else f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.1f} min"


class Judgement:
    """All seeds of a fault."""

    def __init__(self, fault, runs):
        self.fault = fault
        self.runs = runs
        self.complaints = []
        self.delays = {name: [self.delay(run, name) for run in runs] for name in fault.expected}
        self.wrong = {}
        for run in runs:
            for name in run.fired:
                if name not in fault.expected and not any(re.fullmatch(allowed, name) for allowed in fault.allowed):
                    self.wrong.setdefault(name, []).append(run.seed)
        self.judge()

    def delay(self, run, name):
        return run.fired[name][0] - 60 * self.fault.start - faults.shift(run.seed) if name in run.fired else None

    def held(self):
        """Share of the time on, from the first firing until the fault ends."""
        shares = []
        for run in self.runs:
            for name in self.fault.expected:
                if name in run.fired:
                    first, last, count = run.fired[name]
                    end = min(60 * self.fault.end, 60 * self.fault.until)
                    after = max(0, (min(last, 60 * self.fault.until) - end) / STEP)
                    possible = (end - first) / STEP + 1
                    shares.append(min(1, max(0, count - after) / possible) if possible > 0 else 1)
        return statistics.mean(shares) if shares else None

    def judge(self):
        fault = self.fault
        for name, delays in self.delays.items():
            missed = [run.seed for run, delay in zip(self.runs, delays) if delay is None]
            if missed:
                self.complaints.append(f"{name} does not fire (seeds {missed})")
            early = [run.seed for run, delay in zip(self.runs, delays) if delay is not None and delay < 0]
            if early:
                self.complaints.append(f"{name} fires before the fault (seeds {early})")
        known = [delay for delays in self.delays.values() for delay in delays if delay is not None]
        if known and fault.median and statistics.median(known) > fault.median:
            self.complaints.append(f"median {minutes(statistics.median(known))}, allowed {minutes(fault.median)}")
        if known and fault.worst and max(known) > fault.worst:
            self.complaints.append(f"worst {minutes(max(known))}, allowed {minutes(fault.worst)}")
        if fault.held and known and self.held() < fault.held:
            self.complaints.append(f"on for {self.held():.0%} of the time, wanted {fault.held:.0%}")
        for name, seeds in self.wrong.items():
            self.complaints.append(f"{name} is wrong (seeds {seeds})")
        if fault.ends:
            for run in self.runs:
                for name, (_, last, _) in run.fired.items():
                    if last >= 60 * fault.until:
                        self.complaints.append(f"{name} does not end (seed {run.seed})")

    def __str__(self):
        if self.complaints:
            return f"not ok - {self.fault.name}: {'; '.join(self.complaints)} ({' | '.join(self.row()[1:-1])})"
        return f"ok - {self.fault.name}: {' | '.join(self.row()[1:-1])}"

    def row(self):
        known = [delay for delays in self.delays.values() for delay in delays if delay is not None]
        names = ", ".join(self.fault.expected) or "nobody"
        if not known:
            times = ["–", "–", "–"]
        else:
            times = [minutes(statistics.median(known)), minutes(max(known)), f"{self.held():.0%}"]
        wrong = ", ".join(f"{name} ({len(seeds)})" for name, seeds in self.wrong.items()) or "0"
        return [self.fault.name, names, *times, wrong, str(len(self.runs))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", choices=["bounded", "all"], default="all")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--table")
    parser.add_argument("--rules", default=RULES)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen = [fault for fault in faults.ALL if (not options.only or any(re.search(word, fault.name) for word in options.only))
              and (options.what == "all" or fault.bounded)]
    runs = [Run(fault, seed) for fault in chosen
            for seed in range(options.seeds or (fault.seeds if options.what == "all" else fault.bounded))]
    left = {fault: [] for fault in chosen}
    judgements = {}
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        prepare(options.rules, directory, {fault.scrape for fault in chosen})
        for batch in pool.map(lambda batch: evaluate(directory, batch), list(batches(runs))):
            for run in batch:
                left[run.fault].append(run)
                if len(left[run.fault]) == sum(other.fault is run.fault for other in runs):
                    judgements[run.fault] = found = Judgement(run.fault, left[run.fault])
                    print(found, flush=True)
    lines = ["| fault | named | median | worst | on for | wrong | seeds |", "|---|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(judgements[fault].row()) + " |" for fault in chosen if fault.table]
    if options.table:
        with open(options.table, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    sys.exit(any(found.complaints for found in judgements.values()))


if __name__ == "__main__":
    main()
