"""The faults that judge.py judges the alerts by, and what they may say about each."""

import random

from fleet import Fleet, Group

FIVE = [f"n{number}" for number in range(1, 6)]
ALL = []


def nodes(count):
    return [f"n{number}" for number in range(1, count + 1)]


class Fault:
    """`fleet(seed)` gives the fleet, or several. All times are in minutes but `median` and `worst`, in seconds."""

    def __init__(self, name, fleet, expected=(), allowed=(), start=2, end=5, until=8, scrape=15, median=None,
                 worst=None, held=None, seeds=1, bounded=1, table=False, ends=True, latency=False, size=150):
        self.name = name
        self.fleet = fleet
        self.expected = list(expected)
        self.allowed = list(allowed)
        self.start, self.end, self.until = start, end, until
        self.scrape = scrape
        self.median, self.worst, self.held = median, worst, held
        self.seeds, self.bounded, self.table, self.ends = seeds, bounded, table, ends
        self.latency = latency
        self.size = size
        ALL.append(self)

    def fleets(self, seed):
        found = self.fleet(seed)
        return found if isinstance(found, list) else [found]


# What a fault does: functions of (node, peer, group, family) that give a share, or nothing.

def pairs(share, *wanted):
    """These pairs: "n1>n2"."""
    return lambda node, peer, group, family: share if f"{node}>{peer}" in wanted else None


def touches(share, names):
    """All that goes from or to these nodes."""
    return lambda node, peer, group, family: share if node in names or peer in names else None


def sends(share, name):
    return lambda node, peer, group, family: share if node == name else None


def split(*sides):
    return lambda node, peer, group, family: (
        1 if not any(node in side and peer in side for side in sides) else None)


def shift(seed):
    """A fault begins at any moment between two evaluations."""
    return random.Random(seed).uniform(0, 15)


def fleet(count=5, start=2, end=5, what=None, scrape=15, seed=0, **more):
    """A full mesh with one fault. Its phase is by chance."""
    made = Fleet(nodes(count), scrape=scrape, seed=seed, **more)
    if what:
        made.fault(start * 60 + shift(seed), end * 60 + shift(seed), **what)
    return made


def one(count=5, scrape=15, start=2, end=5, **what):
    return lambda seed: fleet(count, start, end, what, scrape, seed)



def several(make, *times, count=5, scrape=15, **more):
    """The same fault several times: pairs of minutes."""
    def built(seed):
        made = Fleet(nodes(count), scrape=scrape, seed=seed, **more)
        for start, end in times:
            made.fault(start * 60 + shift(seed), end * 60 + shift(seed), **make)
        return made
    return built


def again_and_again(seconds, start, end):
    """(start, end) in minutes: down for these seconds, up as long."""
    return [(start + number * seconds / 30, start + number * seconds / 30 + seconds / 60)
            for number in range(int((end - start) * 30 / seconds))]


def both(make, **more):
    """A fleet of its own, made by make(fleet), with its faults."""
    def built(seed):
        made = Fleet(nodes(5), seed=seed, **more)
        return make(made, shift(seed)) or made
    return built


def groups_of(count, groups, start=2, end=5, peer_labels=(), scrape=15, **what):
    def built(seed):
        made = Fleet(nodes(count), [Group(**group) for group in groups], seed=seed, peer_labels=peer_labels, scrape=scrape)
        if what:
            made.fault(start * 60 + shift(seed), end * 60 + shift(seed), **what)
        return made
    return built


def in_sites(label, *sizes):
    """n1.. in sites a, b, ... of these sizes."""
    places, number = {}, 1
    for site, size in zip("abcdef", sizes):
        for _ in range(size):
            places[f"n{number}"] = {label: site}
            number += 1
    return places


def directions(alert, *wanted):
    return [f"{alert} {pair}" for pair in wanted]


# --- the table of the documents: faults by chance, many seeds ---

ROWS = {"table": True, "seeds": 20, "bounded": 1}
DOWN = {"median": 90, "worst": 100, "held": .9, **ROWS}
PATH = {"median": 150, "worst": 150, "held": .9, **ROWS}

Fault("a node is off", one(off=["n5"]), ["NodeDown n5"], **DOWN)
Fault("a node is cut off, but still scraped", one(loss=touches(1, ["n5"])), ["NodeDown n5"], **DOWN)
Fault("a reboot of 45 s", one(off=["n5"], end=2.75), **ROWS)
Fault("most of a rack is off", groups_of(9, [{"name": "default", "members": nodes(9)}], off=["n1", "n2", "n3"],
                                         peer_labels=in_sites("rack", 4, 5)),
      ["SiteDown rack=a"], size=500, **DOWN)
Fault("two equal sites, one dies", groups_of(8, [{"name": "default", "members": nodes(8)}], off=nodes(4),
                                             peer_labels=in_sites("zone", 4, 4)),
      ["SiteDown zone=a"], size=400, **DOWN)
Fault("two equal sites without labels, one dies", one(8, off=nodes(4)), ["GroupDown"], size=400, **DOWN)
Fault("a fleet splits 5 to 3", one(8, loss=split(nodes(5), ["n6", "n7", "n8"])), ["Split"], size=400, **DOWN)
Fault("a fleet splits 3 to 2", one(loss=split(nodes(3), ["n4", "n5"])), ["Split"], **DOWN)
Fault("a fleet splits into halves", one(6, loss=split(nodes(3), ["n4", "n5", "n6"])), ["GroupDown"], size=220, **DOWN)
Fault("a pair is cut", one(loss=pairs(1, "n1>n2", "n2>n1")), directions("PathDown", "n1>n2", "n2>n1"), **PATH)
Fault("a pair is cut in one direction", one(loss=pairs(1, "n1>n2")), ["PathDown n1>n2"], **PATH)
Fault("a node cannot reach others", one(loss=sends(1, "n2")), ["ObserverProblem n2"], **PATH)
Fault("a node refuses pings, and is alive",
      one(loss=lambda node, peer, group, family: 1 if peer == "n5" else None), ["Unanswered n5"], **PATH)

for share, median, until in ((.1, 3, 24), (.05, 6, 30), (.02, 25, 75)):
    Fault(f"one pair loses {share:.0%}", one(loss=pairs(share, "n1>n2"), start=6, end=until), ["Loss n1>n2"], start=6,
          end=until, until=until, median=60 * median, worst=150 * median, held=.9, seeds=40, bounded=0, table=True,
          ends=False)
for share, median, until in ((.1, 2, 16), (.05, 3, 20), (.02, 6, 30)):
    Fault(f"one node of five loses {share:.0%}", one(loss=touches(share, ["n3"]), start=6, end=until),
          ["InboundLoss n3"], start=6, end=until, until=until, median=60 * median, worst=150 * median, held=.9,
          seeds=40, bounded=0, table=True, ends=False)
for seconds, end in ((20, 34), (60, 32), (150, 34), (300, 34), (600, 34)):
    Fault(f"a node is down {seconds} s, up {seconds} s", several({"loss": touches(1, ["n4"])},
          *again_and_again(seconds, 3, 43)), ["Flapping n4"], allowed=["NodeDown n4"], start=3, end=end, until=end,
          median=1800, worst=1800, seeds=4, bounded=int(seconds == 60), table=True, ends=False)
Fault("background loss of 0.1 % everywhere, ten nodes, six hours",
      one(10, loss=lambda *_: .001, start=-1, end=360), start=0, end=360, until=360, seeds=4, bounded=0, table=True, size=600)

# --- each fault once: who is named, and nobody else ---

Fault("a healthy fleet", one())
Fault("three nodes of five are off", one(off=nodes(3)), ["GroupDown"])
Fault("two nodes of five are off", one(off=["n2", "n5"]), ["NodeDown n2", "NodeDown n5"])
Fault("a reboot of a minute", one(off=["n5"], end=3), allowed=["NodeDown n5"])
Fault("no node reaches another", one(loss=lambda *_: 1), ["GroupDown"])
Fault("95 % of a pair's requests are lost", one(loss=pairs(.95, "n1>n2"), end=8),
      ["PathDown n1>n2"], allowed=["Loss n1>n2"], end=8, ends=False)
Fault("70 % of a pair's requests are lost", one(loss=pairs(.7, "n1>n2"), end=8), ["Loss n1>n2"], end=8, ends=False)
Fault("two pairs of one node are cut", one(loss=pairs(1, "n1>n2", "n2>n1", "n1>n3", "n3>n1")),
      directions("PathDown", "n1>n2", "n2>n1", "n1>n3", "n3>n1"))

Fault("of two nodes one is off", one(2, off=["n2"]), ["NodeDown n2"], size=30)
Fault("of two nodes the path is cut", one(2, loss=lambda *_: 1), directions("PathDown", "n1>n2", "n2>n1"), size=30)
Fault("of three nodes one is cut off", one(3, loss=touches(1, ["n1"])), ["NodeDown n1"], size=60)
Fault("of three nodes a pair is cut", one(3, loss=pairs(1, "n1>n2", "n2>n1")),
      directions("PathDown", "n1>n2", "n2>n1"), size=60)
Fault("of three nodes none reaches another", one(3, loss=lambda *_: 1), ["GroupDown"], size=60)
Fault("of two nodes the path loses a fifth", one(2, loss=lambda *_: .2, end=8),
      directions("Loss", "n1>n2", "n2>n1"), end=8, ends=False, size=30)
Fault("a fleet of one node", one(1), size=30)

MEMBERS = {"name": "default", "members": FIVE}
TARGETS = {"name": "internet", "targets": ["gw", "dns", "ntp"]}


def only_to(*peers):
    return lambda node, peer, group, family: 1 if peer in peers else None


Fault("a target is down", groups_of(5, [MEMBERS, TARGETS], loss=only_to("gw")), ["NodeDown internet: gw"], size=220)
Fault("all targets are down", groups_of(5, [MEMBERS, TARGETS], loss=only_to("gw", "dns", "ntp")),
      ["GroupDown internet:"], size=220)
Fault("one node does not reach the targets", groups_of(5, [MEMBERS, TARGETS], loss=pairs(1, "n1>gw", "n1>dns", "n1>ntp")),
      ["ObserverProblem internet: n1"], size=220)
Fault("a node that pings targets is cut off", groups_of(5, [MEMBERS, TARGETS], loss=touches(1, ["n1"])),
      ["NodeDown n1"], size=220)


def in_family(wanted, fault):
    return lambda node, peer, group, family: fault(node, peer, group, family) if family == wanted else None


DUAL = [{"name": "default", "members": FIVE, "families": ("ipv4", "ipv6")}]
Fault("both families: a node is off", groups_of(5, DUAL, off=["n5"]), ["NodeDown n5"], size=260)
Fault("both families: a node is without IPv6", groups_of(5, DUAL, loss=in_family("ipv6", touches(1, ["n5"]))),
      ["NodeDown n5 ipv6"], size=260)
Fault("both families: a pair is cut", groups_of(5, DUAL, loss=pairs(1, "n1>n2")), ["PathDown n1>n2"], size=260)
Fault("both families: a pair is cut in IPv4", groups_of(5, DUAL, loss=in_family("ipv4", pairs(1, "n1>n2"))),
      ["PathDown n1>n2 ipv4"], size=260)

SIX = nodes(6)
SPARSE = [{"name": "default", "members": SIX, "fanout": 2}]
Fault("fanout: a node is off", groups_of(6, SPARSE, off=["n3"]), ["NodeDown n3"])
Fault("fanout: a pair is cut", groups_of(6, SPARSE, loss=pairs(1, "n1>n2")), ["PathDown n1>n2"])
RACKS = [{"name": "rack1", "members": SIX[:3], "members_only": True},
         {"name": "rack2", "members": SIX[3:], "members_only": True}, {"name": "fleet", "members": SIX, "fanout": 4}]
Fault("racks and a fanout: a node is off", groups_of(6, RACKS, off=["n2"]),
      ["NodeDown rack1: n2", "NodeDown fleet: n2"], size=250)
Fault("racks and a fanout: one rack cannot be reached from the other",
      groups_of(6, RACKS, loss=split(SIX[:3], SIX[3:])), ["GroupDown fleet:"], size=250)

# Loss.
LOSS = {"start": 3, "end": 9, "until": 9, "ends": False}
Fault("a node loses a tenth", one(loss=touches(.1, ["n3"]), start=3, end=9), ["InboundLoss n3"], **LOSS)
Fault("a node loses what it sends", one(loss=sends(.2, "n3"), start=3, end=9), ["OutboundLoss n3"], **LOSS)
Fault("everybody loses a twentieth", one(loss=lambda *_: .05, start=3, end=9), ["GroupLoss"], **LOSS)
Fault("two nodes of five lose a fifth", one(loss=touches(.2, ["n3", "n4"]), start=3, end=9),
      ["InboundLoss n3", "InboundLoss n4"], **LOSS)
Fault("a pair loses a fifth", one(loss=pairs(.2, "n1>n2", "n2>n1"), start=3, end=9), directions("Loss", "n1>n2", "n2>n1"), **LOSS)
Fault("a rack loses a tenth", groups_of(9, [{"name": "default", "members": nodes(9)}], start=3, end=9,
                                        loss=split(nodes(3), nodes(9)[3:]) and (
                                            lambda node, peer, group, family: .1 if (node in nodes(3)) != (peer in nodes(3)) else None),
                                        peer_labels=in_sites("rack", 3, 6)),
      ["SiteLoss rack=a"], size=500, **LOSS)
Fault("loss ends, and so does its alert", one(loss=touches(.1, ["n3"]), start=6, end=10), ["InboundLoss n3"], start=6, end=10, until=36, bounded=0)

# Latency.
SLOW = {"start": 5, "end": 18, "until": 18, "ends": False, "latency": True}
for_slow = {"start": 5, "end": 18}
Fault("a node gets slower", one(delay=touches(.03, ["n3"]), **for_slow), ["InboundLatency n3"], **SLOW)
Fault("a pair gets slower", one(delay=pairs(.03, "n1>n2", "n2>n1"), **for_slow),
      directions("Latency", "n1>n2", "n2>n1"), **SLOW)
Fault("a node gets slower as a pinger", one(delay=sends(.03, "n3"), **for_slow), ["OutboundLatency n3"], **SLOW)
Fault("everybody gets slower", one(delay=lambda *_: .03, **for_slow), ["GroupLatency"], **SLOW)
Fault("a rack gets slower", groups_of(9, [{"name": "default", "members": nodes(9)}], peer_labels=in_sites("rack", 3, 6),
                                      delay=lambda node, peer, group, family: .03 if (node in nodes(3)) != (peer in nodes(3)) else None,
                                      **for_slow), ["SiteLatency rack=a"], size=500, **SLOW)
Fault("4 ms more are not slow", one(delay=lambda *_: .004, **for_slow), **SLOW)
Fault("histogram = group: a node gets slower",
      groups_of(5, [{"name": "default", "members": FIVE, "histogram": "group"}], delay=touches(.03, ["n4"]), **for_slow),
      ["InboundLatency n4"], **SLOW)

# --- whether there are measurements ---

LATER = {"end": 22, "until": 22, "ends": False, "bounded": 0}


def gauges(**values):
    """gauge of nodes: {node: {(name, (label, value)...): value}}"""
    return lambda node: values.get(node, {})


def unresolved(*wanted):
    return lambda node: {("nodecanary_peer_resolved", ("group", "default"), ("peer", peer)):
                         int(f"{node}>{peer}" not in wanted and f">{peer}" not in wanted and ">" not in wanted)
                         for peer in FIVE if peer != node}


def without(node_has, peer_gone):
    return lambda node, group, peers: [p for p in peers if p != peer_gone] if node_has in (None, node) else peers


Fault("a timer is off", one(timer_off=["n4"], end=16), ["Stale n4"], end=16, until=18, bounded=0)
Fault("runs fail", one(failing=["n4"], end=14), ["Failing n4"], end=14, until=22, bounded=0)
Fault("a node publishes nothing", one(uninstalled=["n4"], end=22), ["Absent n4"], **LATER)
Fault("a job publishes nothing", one(uninstalled=FIVE, end=22), ["Absent"], **LATER)
Fault("nobody is scraped", one(unscraped=FIVE), **LATER)
Fault("counters start again", one(restart=lambda node: 2000 if node == "n2" else None, end=22), ["CountersRestarted n2"], **LATER)
Fault("drops at receive buffers", one(end=30, counter=lambda node: {("receive_drops_total", ""): 3} if node == "n2" else {}),
      ["ReceiveDrops n2"], end=30, until=24, ends=False, bounded=0)
Fault("rounds do not fit the deadline",
      one(end=30, counter=lambda node: {("discarded_rounds_total", "deadline"): 1} if node == "n2" else {}),
      ["DiscardedRounds n2 deadline"], end=30, until=24, ends=False, bounded=0)
Fault("a node cannot send to two peers", one(unsent=pairs(1, "n1>n2", "n1>n3"), end=22), ["Unsent n1"], **LATER)
Fault("nobody can send to a peer", one(unsent=lambda node, peer, *_: 1 if peer == "n3" else None, end=22), ["Unsent n3"], **LATER)
Fault("a node can send nothing", one(unsent=sends(1, "n3"), end=22), ["Failing n3"], **LATER)
Fault("a node cannot look up a name", one(gauge=unresolved("n1>n2"), end=22), ["Unresolved n1"], **LATER)
Fault("nobody can look up one name", one(gauge=unresolved(">n2"), end=22), ["Unresolved n2"], **LATER)
Fault("nobody can look up anything", one(gauge=unresolved(">"), end=22), ["Unresolved"], **LATER)
Fault("a list lacks a peer", one(lists=without("n2", "n4"), hash=lambda node, group: 2e14 if node == "n2" else None, end=22),
      ["PeerListDrift n2"], **LATER)
Fault("a list has a peer that there is not",
      one(lists=lambda node, group, peers: peers + (["ghost"] if node == "n2" else []), end=22,
          hash=lambda node, group: 2e14 if node == "n2" else None, loss=only_to("ghost")), ["PeerListDrift n2"], **LATER)
Fault("all nodes list one that there is not",
      one(lists=lambda node, group, peers: peers + ["ghost"], loss=only_to("ghost"), end=22), ["NodeDown ghost"], **LATER)
Fault("nobody pings a node", one(lists=without(None, "n2"), end=22), ["Unwatched n2"], **LATER | {"bounded": 1})
Fault("a node has nobody to ping", one(lists=lambda node, group, peers: [] if node == "n2" else peers, end=22),
      ["NoPeers n2"], **LATER | {"bounded": 1})
Fault("a member is left alone in its rack",
      groups_of(4, [{"name": "rack1", "members": nodes(3), "members_only": True}, {"name": "rack2", "members": ["n4"], "members_only": True}], end=20),
      ["Unwatched rack2: n4"], start=0, end=18, until=18, ends=False)
Fault("a member is alone in its rack, and watched in the fleet",
      groups_of(4, [{"name": "rack1", "members": nodes(3), "members_only": True}, {"name": "rack2", "members": ["n4"], "members_only": True},
                    {"name": "fleet", "members": nodes(4)}], end=20), start=0, end=18, until=18, bounded=0)
Fault("two names have one address", one(gauge=gauges(**{node: {
    ("nodecanary_peer_info", ("group", "default"), ("peer", peer), ("address", "10.0.0.1")): 1 for peer in ("n4", "n5")}
    for node in nodes(3)})), ["WrongAddress n4", "WrongAddress n5"])
Fault("two addresses are swapped", one(gauge=gauges(**{node: {
    ("nodecanary_address_conflict", ("group", "default"), ("peer", node)): 1} for node in nodes(2)})),
      ["WrongAddress n1", "WrongAddress n2"], bounded=0)


def wrong_clock(wanted, seconds):
    def built(seed):
        made = Fleet(FIVE, seed=seed)
        made.clocks = {node: seconds for node in wanted}
        return made
    return built


Fault("the clock of a node is wrong", wrong_clock(["n4"], 300), ["Clock n4"], start=0, end=15, ends=False, bounded=0)
Fault("the clock of Prometheus is wrong", wrong_clock(FIVE, -300), ["Clock"], start=0, end=15, ends=False, bounded=0)
Fault("large packets do not pass between two nodes", one(end=30, start=-5, gauge=lambda node: {
    (f"nodecanary_mtu_{what}_total", ("group", "default"), ("peer", peer)): None if what == "requests" else
    (0 if {node, peer} == {"n1", "n2"} else None) for what in ("requests", "replies") for peer in FIVE if peer != node}),
      directions("MtuBlackHole", "n1>n2", "n2>n1"), start=0, end=30, until=22, ends=False)
Fault("a pair that nobody watches is cut", one(end=22, gauge=lambda node: {
    ("nodecanary_roam_unresponsive", ("group", "default"), ("peer", "n9")): 1} if node == "n1" else {}),
      ["RoamPairDown n1>n9"], **LATER)

def at_once(made, at):
    made.clocks = {"n3": 300}
    for what in ({"timer_off": ["n4"]}, {"failing": ["n5"]}, {"gauge": unresolved("n1>n2")},
                 {"restart": lambda node: 2000 if node == "n2" else None},
                 {"counter": lambda node: {("receive_drops_total", ""): 3, ("discarded_rounds_total", "deadline"): 1}
                  if node == "n2" else {}},
                 {"gauge": gauges(n1={("nodecanary_roam_unresponsive", ("group", "default"), ("peer", "n9")): 1})}):
        made.fault(120 + at, **what)


def more_at_once(made, at):
    for what in ({"uninstalled": ["n5"]}, {"unsent": pairs(1, "n1>n2", "n1>n3")},
                 {"lists": lambda node, group, peers: peers + ["ghost"] if node == "n3" else peers, "loss": only_to("ghost"),
                  "hash": lambda node, group: 2e14 if node == "n3" else None}):
        made.fault(120 + at, **what)


EIGHT = ["Stale n4", "Failing n5", "Unresolved n1", "CountersRestarted n2", "ReceiveDrops n2", "DiscardedRounds n2 deadline",
         "RoamPairDown n1>n9", "Clock n3"]
Fault("eight things are wrong with the measurements", both(at_once), EIGHT, start=0, end=36, until=36, ends=False)
Fault("three more", both(more_at_once), ["Absent n5", "Unsent n1", "PeerListDrift n3"], end=21, until=21, ends=False)

# --- separate fleets, scrapes ---

Fault("two jobs with the same names: in one a node is off", lambda seed: [
    fleet(4, what={"off": ["n1"]}, seed=seed), fleet(4, seed=seed + 100, job="other")], ["NodeDown n1"], size=200)
Fault("a missed scrape of a node", one(unscraped=["n3"], end=2.25))
Fault("a missed scrape of all", one(unscraped=FIVE, end=2.25))
Fault("Prometheus was away for six minutes", one(unscraped=FIVE, end=8), until=11)
Fault("a node is taken out of the lists one by one, and switched off", both(
    lambda made, at: [made.fault(180 + 60 * place + at, lists=without(node, "n5"),
                                 hash=lambda found, group, node=node: 2e14 if found == node else None)
                      for place, node in enumerate(FIVE[:4])] and made.fault(540 + at, off=["n5"])), until=18)
FOUR = {"end": 6, "until": 9}
for seconds in (30, 60):
    Fault(f"scrapes every {seconds} s: a node is off", one(scrape=seconds, off=["n5"], end=6), ["NodeDown n5"], scrape=seconds, **FOUR)
    Fault(f"scrapes every {seconds} s: a pair is cut", one(scrape=seconds, loss=pairs(1, "n1>n2"), end=6), ["PathDown n1>n2"], scrape=seconds, **FOUR)
    Fault(f"scrapes every {seconds} s: a missed scrape", one(scrape=seconds, unscraped=["n3"], end=2 + seconds / 60), scrape=seconds)
    Fault(f"scrapes every {seconds} s: a node loses a tenth", one(scrape=seconds, loss=touches(.1, ["n3"]), start=3, end=9),
          ["InboundLoss n3"], scrape=seconds, **LOSS)

# --- combinations and small fleets, tried by judge.sh alone ---

RARE = {"bounded": 0}
Fault("four nodes of five are off", one(off=FIVE[:4]), ["GroupDown"], **RARE)
Fault("four nodes are split into halves", one(4, loss=split(nodes(2), ["n3", "n4"])), ["GroupDown"], **RARE)
Fault("of two nodes one has its timer off", one(2, timer_off=["n2"], end=16), ["Stale n2"], end=16, until=18, **RARE)
Fault("of three nodes one is off", one(3, off=["n3"]), ["NodeDown n3"], **RARE)
Fault("of three nodes two are off", one(3, off=["n2", "n3"]), ["NodeDown n2", "NodeDown n3"], **RARE)
Fault("of three nodes one loses a fifth", one(3, loss=touches(.2, ["n3"]), start=3, end=9), ["InboundLoss n3"], **LOSS | RARE)
Fault("of three nodes a pair loses a fifth", one(3, loss=pairs(.2, "n1>n2", "n2>n1"), start=3, end=9),
      directions("Loss", "n1>n2", "n2>n1"), **LOSS | RARE)
Fault("of three nodes one is off and the path of the others cut", one(3, off=["n3"], loss=pairs(1, "n1>n2", "n2>n1")),
      ["NodeDown n3", *directions("PathDown", "n1>n2", "n2>n1")], **RARE)
Fault("a target is down for the only node", groups_of(1, [{"name": "default", "members": ["n1"]}, TARGETS], loss=only_to("gw")),
      ["NodeDown internet: gw"], **RARE)
Fault("one node does not reach one target", groups_of(5, [MEMBERS, TARGETS], loss=pairs(1, "n1>gw")),
      ["PathDown internet: n1>gw"], **RARE)
Fault("both families: a node cannot send IPv6", groups_of(5, DUAL, loss=in_family("ipv6", sends(1, "n2"))),
      ["ObserverProblem n2 ipv6"], **RARE)
Fault("both families: a pair loses a fifth in IPv6", groups_of(5, DUAL, loss=in_family("ipv6", pairs(.2, "n1>n2")), start=3, end=9),
      ["Loss n1>n2 ipv6"], **LOSS | RARE)
Fault("both families: a node loses a fifth in IPv6", groups_of(5, DUAL, loss=in_family("ipv6", touches(.2, ["n4"])), start=3, end=9),
      ["InboundLoss n4 ipv6"], **LOSS | RARE)
Fault("two jobs with the same names: other lists", lambda seed: [
    fleet(4, seed=seed), fleet(4, what={"hash": lambda node, group: 42}, start=0, end=20, seed=seed + 100, job="other")],
      until=18, **RARE)
Fault("fanout: a node and its first observer are off", groups_of(6, SPARSE, off=["n2", "n3"]), ["NodeDown n2", "NodeDown n3"], **RARE)
Fault("racks and a fanout: healthy", groups_of(6, RACKS), **RARE)
Fault("racks and a fanout: a pair of a rack is cut", groups_of(6, RACKS, loss=lambda node, peer, group, family: (
    1 if (node, peer, group) == ("n1", "n2", "rack1") else None)), ["PathDown rack1: n1>n2"], **RARE)
Fault("a pair loses a quarter of a percent", one(loss=pairs(.0025, "n1>n2", "n2>n1"), start=3, end=30), start=3, end=30,
      until=30, **RARE)
Fault("a lossy and slow pair is lossy", one(loss=pairs(.2, "n1>n2", "n2>n1"), delay=pairs(.03, "n1>n2", "n2>n1"), **for_slow),
      directions("Loss", "n1>n2", "n2>n1"), **SLOW | RARE)
Fault("a node gets slower while another one is off", one(off=["n5"], delay=touches(.03, ["n3"]), **for_slow),
      ["InboundLatency n3", "NodeDown n5"], **SLOW | RARE)
Fault("of three nodes one gets slower", one(3, delay=touches(.03, ["n3"]), **for_slow), ["InboundLatency n3"], **SLOW | RARE)
Fault("a pair was always slow", one(delay=pairs(.2, "n1>n2", "n2>n1"), start=-1, end=18), start=0, end=18, until=18,
      latency=True, **RARE)
Fault("a run fails now and then", both(lambda made, at: [
    made.fault(60 * minute + at, 60 * minute + 15 + at, failing=["n4"]) for minute in (4, 6)] and None), until=18, **RARE)
Fault("a round is discarded", one(start=4, end=4.25, counter=lambda node: {("discarded_rounds_total", "deadline"): 3}), until=20, **RARE)
Fault("the timer of a node that cannot resolve is off", both(lambda made, at: (
    made.fault(0, gauge=unresolved("n4>n1")), made.fault(120 + at, timer_off=["n4"])) and None), ["Stale n4"], end=22, until=22,
      ends=False, **RARE)
Fault("a node with an old list and a dead timer", both(lambda made, at: made.fault(
    120 + at, timer_off=["n2"], hash=lambda node, group: None if node == "n2" else 2e14)), ["Stale n2"], **LATER)
Fault("a node is listed a minute before it is there", both(lambda made, at: (
    made.fault(0, 120 + at, lists=without(None, "n5")), made.fault(0, 180 + at, off=["n5"])) and None), until=18, **RARE)
Fault("racks that ping each other: one is cut off", groups_of(6, [{"name": "rack1", "members": SIX[:3]}, {"name": "rack2", "members": SIX[3:]}],
                                                           loss=split(SIX[:3], SIX[3:])), ["GroupDown rack1:", "GroupDown rack2:"], **RARE)
Fault("a node cannot look up anything", one(gauge=lambda node: {
    key: int(node != "n1") for key in unresolved()(node)}, end=22), ["Unresolved n1"], **LATER)
Fault("fanout: a node gets slower", groups_of(6, [{"name": "default", "members": SIX, "fanout": 3}], delay=touches(.03, ["n3"]), **for_slow),
      ["InboundLatency n3"], **SLOW | RARE)
Fault("histogram = group: a node gets slower as a pinger",
      groups_of(5, [{"name": "default", "members": FIVE, "histogram": "group"}], delay=sends(.03, "n4"), **for_slow),
      ["OutboundLatency n4"], **SLOW | RARE)
