"""A fleet of nodes that ping each other, as Prometheus would see it, for `promtool test rules`.

Each node runs every 15 s and is scraped at phases of its own, by chance; requests are lost by chance. All of it
follows from the seed. A run is one round of warm-up and five that are measured, 0.2 s apart; a round in which
something is lost lasts a second. Times are in seconds. Histograms have no buckets, since no alert looks at these.
"""

import random

RUN = 15
REQUESTS = 5
ROUND = 0.2
TIMEOUT = 1.0
GONE = None


class Group:
    """Peers under one name. Members watch each other; without members they are targets of all nodes."""

    def __init__(self, name, members=(), targets=(), families=("",), histogram="peer", fanout=None,
                 members_only=False):
        self.name = name
        self.members = list(members)
        self.targets = list(targets)
        self.families = families
        self.histogram = histogram
        self.fanout = fanout
        self.members_only = members_only

    def peers_of(self, node):
        """Whom a node pings, when all lists are as they should be."""
        if self.targets:
            return list(self.targets)
        if self.members_only and node not in self.members:
            return []
        others = [name for name in self.members if name != node]
        if self.fanout is None or node not in self.members:
            return others
        place = self.members.index(node)
        ring = self.members[place + 1:] + self.members[:place]
        return ring[:self.fanout]

    def observers(self):
        return self.fanout or len(self.members) - 1


class Pair:
    """What one node knows of one peer."""

    def __init__(self):
        self.requests = 0
        self.replies = 0
        self.unsent = 0
        self.sum = 0.0
        self.mean = None


class Fleet:
    """Nodes of one job. A scenario replaces what it wants to be different."""

    def __init__(self, nodes, groups=None, scrape=15, job="node", labels=(), peer_labels=(), seed=0):
        self.random = random.Random(seed)
        self.clocks = {}  # {node: seconds by which its clock is ahead}
        self.peer_labels = dict(peer_labels)  # {peer: {label: value}}
        self.nodes = list(nodes)
        self.groups = groups or [Group("default", self.nodes)]
        self.scrape = scrape
        self.scrapes = []
        self.job = job
        self.labels = dict(labels)
        self.faults = []
        self.series = {}

    # What happens at a time; scenarios add to these by `fault`.

    def fault(self, start, end=float("inf"), **what):
        """loss, delay, unsent: functions of (node, peer, group, family) that give a number, or nothing. A loss is the
        share of the requests that get no reply.
        off, unscraped, timer_off, failing: names of nodes. lists, hashes: functions of (node, group, value).
        gauge, counter, restart: functions of (node) that give {series: value (None: one more each run), or increase of a run}, or a time."""
        self.faults.append((start, end, what))

    def at(self, time, key):
        return [what[key] for start, end, what in self.faults if start <= time < end and key in what]

    def among(self, time, key, node):
        return any(node in names for names in self.at(time, key))

    def combined(self, time, key, default, *arguments):
        values = [function(*arguments) for function in self.at(time, key)]
        return max([value for value in values if value is not None], default=default)

    def loss(self, time, node, peer, group, family):
        if self.among(time, "off", peer):
            return 1.0
        return self.combined(time, "loss", 0.0, node, peer, group, family)

    def peers(self, time, node, group):
        peers = group.peers_of(node)
        for change in self.at(time, "lists"):
            peers = change(node, group.name, peers)
        return peers

    # The simulation.

    def add(self, place, name, labels, value):
        self.series.setdefault((name, *labels.items()), {})[place] = value

    @staticmethod
    def notation(name, *labels):
        return name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels) if value) + "}"

    def run(self, minutes, job=None):
        """{series: its values}, from all scrapes until then."""
        self.job = job or self.job
        self.scrapes = range(0, minutes * 60 + 1, self.scrape)
        self.series = {}
        for node in self.nodes:
            self.run_node(node, self.random.uniform(0, RUN), self.random.uniform(0, self.scrape))
        return {self.notation(*key): self.values(found) for key, found in self.series.items()}

    def values(self, found):
        """The notation of promtool, which is slow to read: as short as it can be. A series that ends is stale
        from then on."""
        texts = []
        places = len(self.scrapes)
        place = 0
        while place < places:
            if place not in found:
                texts.append("stale" if place - 1 in found else "_")
                place += 1
                continue
            first, step, more = found[place], found.get(place + 1, found[place]) - found[place], 0
            while not isinstance(first + step, float) and found.get(place + more + 1) == first + (more + 1) * step:
                more += 1
            texts.append(f"{first}{step:+}x{more}" if more else f"{first:.9g}" if isinstance(first, float) else str(first))
            place += more + 1
        return " ".join(texts)

    def run_node(self, node, phase, scrape_phase):
        """A sample stands for a scrape up to an interval before it: rules are evaluated at a phase of their own."""
        state = {"runs": 0, "ended": GONE, "success": 1, "pairs": {}, "counters": {}, "start": 1000, "peers": {}}
        start = phase - 2 * RUN  # it runs for long
        found = self.one_run(node, start)
        for place, time in enumerate(self.scrapes):
            time += scrape_phase - self.scrape
            while found["ended"] <= time:
                if not self.is_off(start, node) and not self.is_off(found["ended"], node):
                    self.publish_run(node, found, state)
                start += RUN
                found = self.one_run(node, start)
            unscraped = self.among(time, "off", node) or self.among(time, "unscraped", node)
            self.add(place, "up", self.own(node), 0 if unscraped else 1)
            if unscraped or self.among(time, "uninstalled", node) or state["ended"] is GONE:
                continue
            self.publish(node, time, place, state)

    def is_off(self, time, node):
        return self.among(time, "off", node) or self.among(time, "timer_off", node)

    def one_run(self, node, start):
        """{ended, pairs: {key: [requests, replies, unsent, sum]}, ...} of a run that begins now."""
        found = {"start": start, "ended": start, "pairs": {}, "success": int(not self.among(start, "failing", node)),
                 "peers": {group.name: self.peers(start, node, group) for group in self.groups}}
        pairs = [(group.name, peer, family) for group in self.groups
                 for peer in found["peers"][group.name] for family in group.families]
        changes = any(start - RUN < time < start + 2 * RUN for fault in self.faults for time in fault[:2])
        known = {}
        time = start
        for number in range(REQUESTS + 1):
            lasts = ROUND
            for key in pairs:
                if changes or number == 0:
                    known[key] = self.conditions(time, node, *key)
                loss, delay, unsent = known[key]
                lost = not unsent and loss > 0 and (loss >= 1 or self.random.random() < loss)
                if lost:
                    lasts = TIMEOUT
                if number > 0:
                    count = found["pairs"].setdefault(key, [0, 0, 0, 0.0])
                    count[2 if unsent else 0] += 1
                    if not unsent and not lost:
                        count[1] += 1
                        count[3] += delay
            time += lasts
        found["ended"] = time
        return found

    def conditions(self, time, node, group, peer, family):
        where = (node, peer, group, family)
        return (self.loss(time, *where), 0.0002 + self.combined(time, "delay", 0.0, *where),
                bool(self.combined(time, "unsent", 0, *where)))

    def publish_run(self, node, found, state):
        state["ended"] = round(found["ended"], 3)
        state["peers"] = found["peers"]
        state["success"] = found["success"]
        for restart in self.at(found["start"], "restart"):
            state["start"] = restart(node) or state["start"]
        for change in self.at(found["start"], "counter"):
            for name, increase in change(node).items():
                state["counters"][name] = state["counters"].get(name, 0) + increase
        if not state["success"]:
            return
        for key, (requests, replies, unsent, total) in found["pairs"].items():
            pair = state["pairs"].setdefault(key, Pair())
            pair.requests += requests
            pair.replies += replies
            pair.unsent += unsent
            pair.sum = round(pair.sum + total, 9)
            pair.mean = total / replies if replies else None
        left = any(count[0] for count in found["pairs"].values())
        state["success"] = int(left or not any(found["peers"].values()))
        state["runs"] += state["success"]

    def own(self, node, **more):
        return {"job": self.job, "instance": f"{node}:9100", **self.labels, **more}

    def publish(self, node, time, place, state):
        own = self.own(node)
        self.add(place, "nodecanary_runs_total", own, state["runs"])
        self.add(place, "nodecanary_last_run_success", own, state["success"])
        self.add(place, "nodecanary_last_run_timestamp_seconds", own, round(state["ended"] + self.clocks.get(node, 0) + place * self.scrape - time, 3))
        self.add(place, "nodecanary_counters_start_timestamp_seconds", own, state["start"])
        for name in ("receive_drops_total", 'discarded_rounds_total deadline', 'discarded_rounds_total receive_drops'):
            name, _, reason = name.partition(" ")
            labels = dict(own, reason=reason)
            self.add(place, f"nodecanary_{name}", labels, state["counters"].get((name, reason), 0))
        for group in self.groups:
            self.publish_group(node, time, place, state, group)
        for change in self.at(time, "gauge"):
            for (name, *labels), value in change(node).items():
                self.add(place, name, self.own(node, **dict(labels)), state["runs"] if value is None else value)

    def publish_group(self, node, time, place, state, group):
        own = self.own(node, group=group.name)
        peers = state["peers"].get(group.name, [])
        is_member = node in group.members
        observers = group.observers()
        if group.fanout is None and is_member:
            observers = len(peers)
        digest = self.combined(time, "hash", 150642259394132, node, group.name)
        self.add(place, "nodecanary_peer_list_hash", own, digest)
        for name, value in (("probed", len(peers)), ("self", int(is_member)), ("unselected", 0), ("unresolved", 0)):
            self.add(place, "nodecanary_peers", dict(own, state=name), value)
        if is_member:
            self.add(place, "nodecanary_group_observers", own, observers)
            self.add(place, "nodecanary_self_info", dict(own, peer=node), 1)
        for peer in peers:
            for family in group.families:
                pair = state["pairs"].get((group.name, peer, family), Pair())
                self.publish_pair(place, dict(own, peer=peer, family=family), pair, group)
                if peer in self.peer_labels:
                    self.add(place, "nodecanary_peer_info", dict(own, peer=peer, family=family, **self.peer_labels[peer]), 1)

    def publish_pair(self, place, labels, pair, group):
        self.add(place, "nodecanary_requests_total", labels, pair.requests)
        self.add(place, "nodecanary_replies_total", labels, pair.replies)
        self.add(place, "nodecanary_unsent_total", labels, pair.unsent)
        if group.histogram != "peer":
            if pair.mean is not None:
                self.add(place, "nodecanary_rtt_mean_seconds", labels, pair.mean)
            return
        self.add(place, "nodecanary_rtt_seconds_sum", labels, pair.sum)
        self.add(place, "nodecanary_rtt_seconds_count", labels, pair.replies)
