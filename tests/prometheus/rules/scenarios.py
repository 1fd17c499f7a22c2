"""What each alert does in a fleet: scenarios, written as tests for promtool.

    scenarios.py DIRECTORY    writes files of tests beside the rules that they test: in shipped/, in short/
                              (rules with a `for` of 15 s), in dc/ (rules that know a label dc); and to the
                              standard output, tab-separated, the file, the job and the name of each scenario

Each scenario says which alerts fire at which minute, and these are all: nothing else fires then. Unless it
says so, no other alert is even pending at any time from the first minute to the last.

Fleets of different jobs have nothing to do with each other, so scenarios share tests, each as a job of its own
name: what promtool spends on each evaluation of each rule it spends once for all. Rules as shipped are evaluated once a
minute, as is Prometheus' default, the others every 30 s.
"""

import json
import os
import re
import sys

from fleet import Fleet, Group

LABELS = "alertname, job, dc, instance, group, peer, family, reason"
FIVE = ["n1", "n2", "n3", "n4", "n5"]
BOTH = ["shipped", "short"]
EVALUATION = {"shipped": 60, "short": 30, "dc": 60}
TOGETHER = 12
SCENARIOS = []


def alert(name, job="node", **labels):
    """The labels by which an alert is known; node="n1" is short for its instance."""
    if "node" in labels:
        labels["instance"] = labels.pop("node") + ":9100"
    return dict(labels, alertname="Nodecanary" + name, job=job)


def member(name, **labels):
    return alert(name, group="default", **labels)


def scenario(name, fleets, firing, pending=(), rules=("shipped",)):
    """firing: {minute: alerts}. pending: what else is pending at some time, but never fires as shipped."""
    if isinstance(fleets, Fleet):
        fleets = [fleets]
    known = Scenario(name, fleets, firing, list(pending))
    SCENARIOS.extend((place, known) for place in rules)


def pairs(*wanted):
    """A fault of these pairs: "n1>n2"."""
    return lambda node, peer, group, family: 1 if f"{node}>{peer}" in wanted else None


def touches(nodes, value, group_name=None):
    """A fault of all that goes from or to nodes."""
    return lambda node, peer, group, family: (
        value if (node in nodes or peer in nodes) and group_name in (None, group) else None)


def split(*sides):
    """Nodes of different sides do not reach each other."""
    return lambda node, peer, group, family: (
        1 if not any(node in side and peer in side for side in sides) else None)


def times(value, fault):
    return lambda *where: value if fault(*where) else None


def fleet_with(start, end=float("inf"), nodes=FIVE, fleet=None, **what):
    fleet = fleet or Fleet(nodes)
    fleet.fault(start * 60, end * 60, **what)
    return fleet


# Down.

def down():
    scenario("a healthy fleet", Fleet(FIVE), {21: []}, rules=BOTH)
    dead = {3: [], 10: [member("NodeDown", peer="n5")], 21: []}
    scenario("a node is off, and comes back", fleet_with(4, 14, off=["n5"]), dead, rules=BOTH)
    scenario("a node is isolated, but still scraped",
             fleet_with(4, 14, loss=touches(["n5"], 1)), dead, rules=BOTH)
    scenario("a pair is cut",
             fleet_with(4, 14, loss=pairs("n1>n2", "n2>n1")),
             {3: [], 13: [member("PathDown", node="n1", peer="n2"), member("PathDown", node="n2", peer="n1")],
              21: []}, rules=BOTH)
    scenario("one direction of a pair is cut",
             fleet_with(4, 14, loss=pairs("n1>n2")),
             {3: [], 13: [member("PathDown", node="n1", peer="n2")], 21: []})
    scenario("two pairs of one node are cut",
             fleet_with(4, 14, loss=pairs("n1>n2", "n2>n1", "n1>n3", "n3>n1")),
             {13: [member("PathDown", node="n1", peer="n2"), member("PathDown", node="n2", peer="n1"),
                   member("PathDown", node="n1", peer="n3"), member("PathDown", node="n3", peer="n1")], 21: []})
    scenario("a node cannot send",
             fleet_with(4, 14, loss=lambda node, *_: 1 if node == "n2" else None),
             {3: [], 13: [member("ObserverProblem", node="n2", peer="n2")], 21: []}, rules=BOTH)
    scenario("three nodes of five are off", fleet_with(4, 14, off=["n1", "n2", "n3"]),
             {3: [], 10: [member("NodeDown", peer=peer) for peer in ("n1", "n2", "n3")], 21: []}, rules=BOTH)
    scenario("four nodes of five are off", fleet_with(4, 14, off=FIVE[:4]),
             {10: [member("NodeDown", peer=peer) for peer in FIVE[:4]], 21: []})
    scenario("a reboot of a minute and a half", fleet_with(4, 5.5, off=["n5"]), {7: [], 21: []},
             pending=[member("InboundLoss", peer="n5")])
    whole = {3: [], 13: [member("GroupDown")], 21: []}
    scenario("four nodes are split into halves",
             fleet_with(4, 14, nodes=FIVE[:4], loss=split(["n1", "n2"], ["n3", "n4"])), whole)
    scenario("six nodes are split into halves",
             fleet_with(4, 14, nodes=FIVE + ["n6"], loss=split(["n1", "n2", "n3"], ["n4", "n5", "n6"])), whole)
    scenario("no node reaches another", fleet_with(4, 14, loss=lambda *_: 1), whole)
    scenario("98 % of a pair's requests are lost", fleet_with(4, loss=times(0.98, pairs("n1>n2"))),
             {23: [member("PathDown", node="n1", peer="n2")]})
    scenario("95 % of a pair's requests are lost", fleet_with(4, loss=times(0.95, pairs("n1>n2"))),
             {23: [member("Loss", node="n1", peer="n2")]})


def small_fleets():
    two, three = FIVE[:2], FIVE[:3]
    scenario("of two nodes one is off", fleet_with(4, 14, nodes=two, off=["n2"]),
             {3: [], 10: [member("NodeDown", peer="n2")], 21: []}, rules=BOTH)
    scenario("of two nodes the path is cut", fleet_with(4, 14, nodes=two, loss=lambda *_: 1),
             {13: [member("PathDown", node="n1", peer="n2"), member("PathDown", node="n2", peer="n1")], 21: []},
             rules=BOTH)
    scenario("of two nodes one has its timer off", fleet_with(4, 14, nodes=two, timer_off=["n2"]),
             {3: [], 13: [alert("Stale", node="n2")], 21: []}, rules=BOTH)
    scenario("of three nodes one is isolated", fleet_with(4, 14, nodes=three, loss=touches(["n1"], 1)),
             {13: [member("NodeDown", peer="n1")], 21: []}, rules=BOTH)
    scenario("of three nodes one is off", fleet_with(4, 14, nodes=three, off=["n3"]),
             {3: [], 10: [member("NodeDown", peer="n3")], 21: []}, rules=BOTH)
    scenario("of three nodes two are off", fleet_with(4, 14, nodes=three, off=["n2", "n3"]),
             {10: [member("NodeDown", peer="n2"), member("NodeDown", peer="n3")], 21: []})
    scenario("of three nodes a pair is cut", fleet_with(4, 14, nodes=three, loss=pairs("n1>n2", "n2>n1")),
             {13: [member("PathDown", node="n1", peer="n2"), member("PathDown", node="n2", peer="n1")], 21: []})
    scenario("of three nodes none reaches another", fleet_with(4, 14, nodes=three, loss=lambda *_: 1),
             {13: [member("GroupDown")], 21: []})
    scenario("of three nodes one loses a fifth", fleet_with(3, nodes=three, loss=touches(["n3"], 0.2)),
             {20: [member("InboundLoss", peer="n3")]})
    scenario("of three nodes a pair loses a fifth",
             fleet_with(3, nodes=three, loss=times(0.2, pairs("n1>n2", "n2>n1"))),
             {20: [member("Loss", node="n1", peer="n2"), member("Loss", node="n2", peer="n1")]})
    scenario("of three nodes one is slow", fleet_with(3, nodes=three, delay=touches(["n3"], 0.03)),
             {20: [member("InboundLatency", peer="n3")]})
    scenario("of three nodes one is off and the path of the others cut",
             fleet_with(4, 14, nodes=three, off=["n3"], loss=pairs("n1>n2", "n2>n1")),
             {13: [member("NodeDown", peer="n3"), member("PathDown", node="n1", peer="n2"),
                   member("PathDown", node="n2", peer="n1")], 21: []})
    scenario("a fleet of one node", Fleet(["n1"]), {21: []}, rules=BOTH)


def targets():
    def fleet(members=FIVE, wanted=("gw", "dns", "ntp")):
        groups = [Group("default", members), Group("internet", targets=wanted)]
        return Fleet(members, groups)

    def to(*peers):
        return lambda node, peer, group, family: 1 if peer in peers else None

    scenario("a target is down", fleet_with(4, 14, fleet=fleet(), loss=to("gw")),
             {3: [], 13: [alert("NodeDown", group="internet", peer="gw")], 21: []})
    scenario("a target is down for the only node", fleet_with(4, 14, fleet=fleet(["n1"]), loss=to("gw")),
             {13: [alert("NodeDown", group="internet", peer="gw")], 21: []})
    scenario("all targets are down", fleet_with(4, 14, fleet=fleet(), loss=to("gw", "dns", "ntp")),
             {13: [alert("GroupDown", group="internet")], 21: []})
    scenario("one node does not reach one target", fleet_with(4, 14, fleet=fleet(), loss=pairs("n1>gw")),
             {13: [alert("PathDown", group="internet", node="n1", peer="gw")], 21: []})
    scenario("one node does not reach the targets",
             fleet_with(4, 14, fleet=fleet(), loss=pairs("n1>gw", "n1>dns", "n1>ntp")),
             {13: [alert("ObserverProblem", group="internet", node="n1")], 21: []})
    scenario("a node that pings targets is isolated",
             fleet_with(4, 14, fleet=fleet(), loss=touches(["n1"], 1)),
             {13: [member("NodeDown", peer="n1")], 21: []}, rules=BOTH)
    scenario("a node that pings one target loses packets",
             fleet_with(4, fleet=fleet(wanted=["gw"]), loss=touches(["n1"], 0.2)),
             {23: [member("InboundLoss", peer="n1")]})


def families():
    both = ("ipv4", "ipv6")

    def fleet():
        return Fleet(FIVE, [Group("default", FIVE, families=both)])

    def only(wanted, fault):
        return lambda node, peer, group, family: (
            fault(node, peer, group, family) if family == wanted else None)

    scenario("both families: a node is off", fleet_with(4, 14, fleet=fleet(), off=["n5"]),
             {10: [member("NodeDown", peer="n5")], 21: []}, rules=BOTH)
    scenario("both families: a node is without IPv6",
             fleet_with(4, 14, fleet=fleet(), loss=only("ipv6", touches(["n5"], 1))),
             {13: [member("NodeDown", peer="n5", family="ipv6")], 21: []})
    scenario("both families: a pair is cut",
             fleet_with(4, 14, fleet=fleet(), loss=pairs("n1>n2")),
             {13: [member("PathDown", node="n1", peer="n2")], 21: []}, rules=BOTH)
    scenario("both families: a pair is cut in IPv4",
             fleet_with(4, 14, fleet=fleet(), loss=only("ipv4", pairs("n1>n2"))),
             {13: [member("PathDown", node="n1", peer="n2", family="ipv4")], 21: []})
    scenario("both families: a node cannot send IPv6",
             fleet_with(4, 14, fleet=fleet(), loss=only("ipv6", lambda node, *_: 1 if node == "n2" else None)),
             {13: [member("ObserverProblem", node="n2", peer="n2", family="ipv6")], 21: []})
    scenario("both families: loss and latency in IPv6",
             fleet_with(4, fleet=fleet(), loss=only("ipv6", times(0.2, pairs("n1>n2"))),
                        delay=only("ipv6", touches(["n4"], 0.03))),
             {23: [member("Loss", node="n1", peer="n2", family="ipv6"),
                   member("InboundLatency", peer="n4", family="ipv6")]})
    scenario("both families: loss and latency of a sender in IPv6",
             fleet_with(4, fleet=fleet(), loss=only("ipv6", lambda node, *_: 0.2 if node == "n1" else None),
                        delay=only("ipv6", lambda node, *_: 0.03 if node == "n4" else None)),
             {23: [member("OutboundLoss", node="n1", peer="n1", family="ipv6"),
                   member("OutboundLatency", node="n4", peer="n4", family="ipv6")]})
    scenario("both families: loss of a node and latency of a pair in IPv6",
             fleet_with(4, fleet=fleet(), loss=only("ipv6", touches(["n4"], 0.2)),
                        delay=only("ipv6", times(0.03, pairs("n1>n2")))),
             {23: [member("InboundLoss", peer="n4", family="ipv6"),
                   member("Latency", node="n1", peer="n2", family="ipv6")]})


def separate_fleets():
    def fleet(job="node", labels=(), **what):
        return fleet_with(4, 14, fleet=Fleet(FIVE[:4], job=job, labels=labels), **what)

    scenario("two jobs with the same names: in one a node is off",
             [fleet(off=["n1"]), fleet("other", off=[])],
             {10: [member("NodeDown", peer="n1")], 21: []})
    scenario("two jobs with the same names: other lists",
             [fleet(), fleet("other", hash=lambda node, group: 42)], {21: []})
    scenario("two data centres of one job, kept apart by a label: in one a node is off",
             [fleet(labels={"dc": "a"}, off=["n1"]), fleet(labels={"dc": "b"}, hash=lambda node, group: 42)],
             {10: [member("NodeDown", peer="n1", dc="a")], 21: []}, rules=["dc"])


def other_groups():
    six = FIVE + ["n6"]

    def sparse(fanout):
        return Fleet(six, [Group("default", six, fanout=fanout)])

    scenario("fanout: a node is off", fleet_with(4, 14, fleet=sparse(2), off=["n3"]),
             {10: [member("NodeDown", peer="n3")], 21: []}, rules=BOTH)
    scenario("fanout: a pair is cut", fleet_with(4, 14, fleet=sparse(2), loss=pairs("n1>n2")),
             {13: [member("PathDown", node="n1", peer="n2")], 21: []})
    scenario("fanout: a node and its first observer are off", fleet_with(4, 14, fleet=sparse(2), off=["n2", "n3"]),
             {10: [member("NodeDown", peer="n2"), member("NodeDown", peer="n3")], 21: []},
             pending=[member("Unwatched", node="n4", peer="n4")])
    scenario("fanout: a node is slow", fleet_with(4, fleet=sparse(3), delay=touches(["n3"], 0.03)),
             {23: [member("InboundLatency", peer="n3")]})
    def without_histogram():
        return Fleet(FIVE, [Group("default", FIVE, histogram="group")])

    scenario("histogram = group: a node is slow, a pair loses a fifth",
             fleet_with(4, fleet=without_histogram(), delay=touches(["n4"], 0.03), loss=times(0.2, pairs("n1>n2"))),
             {23: [member("Loss", node="n1", peer="n2"), member("InboundLatency", peer="n4")]})
    scenario("histogram = group: a node is slow as a pinger",
             fleet_with(4, fleet=without_histogram(), delay=lambda node, *_: 0.03 if node == "n4" else None),
             {23: [member("OutboundLatency", node="n4", peer="n4")]})
    scenario("histogram = group: a pair gets slower, then the timer of one end is off",
             fleet_with(10, fleet=fleet_with(4, fleet=without_histogram(),
                                             delay=times(0.03, pairs("n1>n2", "n2>n1"))), timer_off=["n1"]),
             {23: [alert("Stale", node="n1"), member("Latency", node="n2", peer="n1")]},
             pending=[member("Latency", node="n1", peer="n2")])

    def pingmesh():
        """Racks of which only members ping each other, and a fanout over the fleet."""
        return Fleet(six, [Group("rack1", six[:3], members_only=True), Group("rack2", six[3:], members_only=True),
                           Group("fleet", six, fanout=4)])

    scenario("racks and a fanout: healthy", Fleet(six, pingmesh().groups), {21: []})
    scenario("racks and a fanout: a node is off", fleet_with(4, 14, fleet=pingmesh(), off=["n2"]),
             {10: [alert("NodeDown", group="rack1", peer="n2"), alert("NodeDown", group="fleet", peer="n2")], 21: []},
             rules=BOTH)
    scenario("racks and a fanout: a pair of a rack is cut",
             fleet_with(4, 14, fleet=pingmesh(), loss=lambda node, peer, group, family: (
                 1 if (node, peer, group) == ("n1", "n2", "rack1") else None)),
             {13: [alert("PathDown", group="rack1", node="n1", peer="n2")], 21: []})
    scenario("racks and a fanout: one rack cannot be reached from the other",
             fleet_with(4, 14, fleet=pingmesh(), loss=split(six[:3], six[3:])),
             {13: [alert("GroupDown", group="fleet")], 21: []})
    racks = [Group("rack1", FIVE[:3]), Group("rack2", ["n4", "n5", "n6"])]
    scenario("racks that ping each other: one is cut off",
             fleet_with(4, 14, fleet=Fleet(six, racks), loss=split(FIVE[:3], ["n4", "n5", "n6"])),
             {13: [alert("GroupDown", group="rack1"), alert("GroupDown", group="rack2")], 21: []})


# Loss and latency.

def lossy_and_slow():
    both = pairs("n1>n2", "n2>n1")
    scenario("a pair loses a fifth", fleet_with(3, 20, loss=times(0.2, both)),
             {20: [member("Loss", node="n1", peer="n2"), member("Loss", node="n2", peer="n1")], 26: []}, rules=BOTH)
    scenario("a pair loses a twentieth of a twentieth", fleet_with(3, loss=times(0.0025, both)), {26: []})
    scenario("a node loses a tenth", fleet_with(3, 20, loss=touches(["n3"], 0.1)),
             {20: [member("InboundLoss", peer="n3")], 26: []}, rules=BOTH)
    scenario("a node loses what it sends",
             fleet_with(3, 20, loss=lambda node, *_: 0.2 if node == "n3" else None),
             {20: [member("OutboundLoss", node="n3", peer="n3")], 26: []})
    scenario("everybody loses", fleet_with(3, 20, loss=lambda *_: 0.1), {20: [member("GroupLoss")], 26: []})
    scenario("two nodes of five lose", fleet_with(3, 20, loss=touches(["n3", "n4"], 0.2)),
             {20: [member("InboundLoss", peer="n3"), member("InboundLoss", peer="n4")], 26: []})
    scenario("of two nodes the path loses", fleet_with(3, 20, nodes=FIVE[:2], loss=lambda *_: 0.2),
             {20: [member("Loss", node="n1", peer="n2"), member("Loss", node="n2", peer="n1")], 26: []}, rules=BOTH)

    slow = pairs("n1>n2", "n2>n1")
    scenario("a node gets 30 ms slower, three minutes after the fleet began",
             fleet_with(3, 20, delay=touches(["n3"], 0.03)),
             {6: [], 17: [member("InboundLatency", peer="n3")], 26: []})
    scenario("a node gets 30 ms slower: seen after three minutes",
             fleet_with(3, 20, delay=touches(["n3"], 0.03)),
             {6: [member("InboundLatency", peer="n3")], 17: [member("InboundLatency", peer="n3")], 26: []},
             rules=["short"])
    scenario("a pair gets slower", fleet_with(3, 20, delay=times(0.03, slow)),
             {20: [member("Latency", node="n1", peer="n2"), member("Latency", node="n2", peer="n1")], 26: []},
             rules=BOTH)
    scenario("a node gets slower as a pinger",
             fleet_with(3, 20, delay=lambda node, *_: 0.03 if node == "n3" else None),
             {20: [member("OutboundLatency", node="n3", peer="n3")], 26: []})
    scenario("everybody gets slower", fleet_with(3, 20, delay=lambda *_: 0.03),
             {20: [member("GroupLatency")], 26: []})
    scenario("4 ms more, and a third more of 60 ms, are not slow",
             fleet_with(15, fleet=fleet_with(-1, delay=times(0.06, pairs("n3>n4"))),
                        delay=lambda node, peer, *_: {"n1>n2": 0.004, "n3>n4": 0.08}.get(f"{node}>{peer}")),
             {26: []}, rules=BOTH)
    scenario("a pair that was always slow has no past to compare", fleet_with(-1, delay=times(0.2, slow)), {26: []})
    scenario("a lossy and slow pair is lossy", fleet_with(3, loss=times(0.2, slow), delay=times(0.03, slow)),
             {20: [member("Loss", node="n1", peer="n2"), member("Loss", node="n2", peer="n1")]},
             pending=[member("Latency", node="n1", peer="n2"), member("Latency", node="n2", peer="n1")])
    scenario("a node gets slower while another one is off",
             fleet_with(3, 20, off=["n5"], delay=touches(["n3"], 0.03)),
             {20: [member("InboundLatency", peer="n3"), member("NodeDown", peer="n5")], 26: []})


# Whether there are measurements.

def one_gauge(node, name, value, **labels):
    """The gauge of one node."""
    return lambda at: {(name, *labels.items()): value} if at == node else {}


def measurement():
    scenario("a timer is off", fleet_with(4, 14, timer_off=["n4"]),
             {3: [], 13: [alert("Stale", node="n4")], 21: []}, rules=BOTH)
    scenario("a node that was off for three minutes shows its old file for one more",
             fleet_with(4, 8, fleet=fleet_with(4, 7, off=["n4"]), timer_off=["n4"]),
             {8: [member("NodeDown", peer="n4")], 21: []})
    scenario("runs fail", fleet_with(4, 14, failing=["n4"]),
             {3: [], 13: [alert("Failing", node="n4")], 21: []})
    scenario("a run fails now and then",
             fleet_with(6, 6.25, fleet=fleet_with(4, 4.25, failing=["n4"]), failing=["n4"]), {21: []})
    scenario("a node publishes nothing", fleet_with(4, uninstalled=["n4"]),
             {18: [], 23: [alert("Absent", node="n4")]})
    scenario("a node that is off is not absent", fleet_with(-1, off=["n4"]),
             {23: [member("NodeDown", peer="n4")]})
    gone = fleet_with(4, unscraped=FIVE)
    scenario("nobody is scraped", gone, {21: []})
    scenario("a job publishes nothing", fleet_with(4, fleet=Fleet(FIVE), uninstalled=FIVE),
             {44: [alert("Absent")]})
    scenario("counters start again", fleet_with(4, restart=lambda node: 2000 if node == "n2" else None),
             {3: [], 12: [alert("CountersRestarted", node="n2")], 21: []})
    scenario("drops at receive buffers",
             fleet_with(3, counter=lambda node: {("receive_drops_total", ""): 3,
                                                 ("discarded_rounds_total", "receive_drops"): 1} if node == "n2" else {}),
             {23: [alert("ReceiveDrops", node="n2")]})
    scenario("rounds do not fit the deadline",
             fleet_with(3, counter=lambda node: {("discarded_rounds_total", "deadline"): 1} if node == "n2" else {}),
             {23: [alert("DiscardedRounds", node="n2", reason="deadline")]})
    scenario("a round is void",
             fleet_with(4, 4.25, counter=lambda node: {("discarded_rounds_total", "deadline"): 3}), {23: []})
    scenario("a node cannot send to two peers", fleet_with(4, unsent=pairs("n1>n2", "n1>n3")),
             {23: [member("Unsent", node="n1")]})
    scenario("nobody can send to a peer",
             fleet_with(4, unsent=lambda node, peer, *_: 1 if peer == "n3" else None),
             {23: [member("Unsent", peer="n3")]})
    scenario("a node can send nothing", fleet_with(4, unsent=lambda node, *_: 1 if node == "n3" else None),
             {23: [alert("Failing", node="n3")]})
    scenario("the timer of a node that cannot resolve is off",
             fleet_with(4, fleet=fleet_with(0, gauge=unresolved("n4>n1"), fleet=Fleet(FIVE)), timer_off=["n4"]),
             {23: [alert("Stale", node="n4")]}, pending=[alert("Unresolved", node="n4")])


def unresolved(*wanted):
    """Peers have host names; those of these pairs cannot be looked up."""
    return lambda node: {
        ("nodecanary_peer_resolved", ("group", "default"), ("peer", peer)):
            int(f"{node}>{peer}" not in wanted and f">{peer}" not in wanted and f"{node}>" not in wanted
                and ">" not in wanted)
        for peer in FIVE if peer != node}


def names():
    def fleet(*wanted):
        return fleet_with(4, fleet=fleet_with(0, 4, gauge=unresolved()), gauge=unresolved(*wanted))

    scenario("a node cannot look up a name", fleet("n1>n2"), {23: [alert("Unresolved", node="n1")]})
    scenario("a node cannot look up anything", fleet("n1>"), {23: [alert("Unresolved", node="n1")]})
    scenario("nobody can look up one name", fleet(">n2"), {23: [member("Unresolved", peer="n2")]})
    scenario("nobody can look up anything", fleet(">"), {23: [alert("Unresolved")]})


def lists():
    def with_list(change):
        return fleet_with(4, lists=change, hash=lambda node, group: 2e14 if node == "n2" else None)

    drift = {23: [member("PeerListDrift", node="n2")]}
    scenario("a list lacks a peer",
             with_list(lambda node, group, peers: [p for p in peers if (node, p) != ("n2", "n4")]), drift, rules=BOTH)
    scenario("a list has a peer that there is not",
             fleet_with(0, fleet=with_list(lambda node, group, peers: peers + (["ghost"] if node == "n2" else [])),
                        loss=lambda node, peer, *_: 1 if peer == "ghost" else None), drift, rules=BOTH)
    scenario("a list has a node of its own",
             with_list(lambda node, group, peers: [p for p in peers if p != "n2"]), drift)
    scenario("a node with an old list and a dead timer is stale",
             fleet_with(4, fleet=with_list(lambda node, group, peers: peers), timer_off=["n2"]),
             {23: [alert("Stale", node="n2")]}, pending=[member("PeerListDrift", node="n2")])
    scenario("all nodes list one that there is not",
             fleet_with(4, loss=lambda node, peer, *_: 1 if peer == "ghost" else None,
                        lists=lambda node, group, peers: peers + ["ghost"]),
             {23: [member("NodeDown", peer="ghost")]})
    # A node that nobody lists, and that says it is a member with the list of the others.
    scenario("nobody pings a node",
             fleet_with(4, lists=lambda node, group, peers: [p for p in peers if p != "n2"]),
             {23: [member("Unwatched", node="n2", peer="n2")]})
    scenario("a node has nobody to ping",
             fleet_with(4, lists=lambda node, group, peers: [] if node == "n2" else peers),
             {23: [alert("NoPeers", node="n2")]})
    scenario("a node is taken out of the lists one by one, and switched off", leaving(), {23: []},
             pending=[member("PeerListDrift", node=node) for node in ("n1", "n2", "n4", "n5")])
    scenario("a node is switched off, and taken out of the lists one by one", leaving(off=6), {23: []},
             pending=[member("PeerListDrift", node=node) for node in ("n1", "n2", "n4")])
    scenario("a node is listed a minute before it is there",
             fleet_with(-1, 4, fleet=fleet_with(-1, 5, off=["n5"]),
                        lists=lambda node, group, peers: [p for p in peers if p != "n5"]), {8: [], 21: []},
             pending=[member("NodeDown", peer="n5"), alert("Absent", node="n5")])


def leaving(off=10):
    """From minute 4 on, every minute a node takes n5 out of its list; n5 is off later."""
    fleet = Fleet(FIVE)
    for place, node in enumerate(FIVE[:4]):
        start = (4 + place) * 60
        fleet.fault(start, lists=lambda at, group, peers, node=node: (
            [p for p in peers if p != "n5"] if at == node else peers))
        fleet.fault(start, hash=lambda at, group, node=node: 2e14 if at == node else None)
    fleet.fault(off * 60, off=["n5"])
    return fleet


# Scrapes.

def scrapes():
    def every(seconds, start=4, end=16, **what):
        return fleet_with(start, end, fleet=Fleet(FIVE, scrape=seconds), **what)

    for seconds in (15, 60):
        missed = every(seconds, 4, 4 + seconds / 60, unscraped=["n3"])
        scenario(f"a missed scrape, every {seconds} s", missed, {21: []}, rules=BOTH)
        blind = every(seconds, 4, 4 + seconds / 60, unscraped=FIVE)
        scenario(f"a missed scrape of all nodes, every {seconds} s", blind, {21: []}, rules=BOTH)
    scenario("scrapes every 60 s: a node is off", every(60, off=["n5"]),
             {3: [], 13: [member("NodeDown", peer="n5")], 21: []}, rules=BOTH)
    scenario("scrapes every 60 s: a pair is cut", every(60, loss=pairs("n1>n2")),
             {13: [member("PathDown", node="n1", peer="n2")], 21: []}, rules=BOTH)
    scenario("scrapes every 60 s: a timer is off", every(60, timer_off=["n4"]),
             {13: [alert("Stale", node="n4")], 21: []}, rules=BOTH)
    scenario("scrapes every 60 s: a node is slow", every(60, 3, 20, delay=touches(["n3"], 0.03)),
             {19: [member("InboundLatency", peer="n3")], 26: []}, rules=BOTH)
    scenario("Prometheus was away for ten minutes", every(15, 4, 14, unscraped=FIVE), {15: [], 21: []}, rules=BOTH)


def build():
    for part in (down, small_fleets, targets, families, separate_fleets, other_groups, lossy_and_slow,
                 measurement, names, lists, scrapes):
        part()


# Writing.

class Scenario:
    """As a test: its fleets are jobs of its own."""

    def __init__(self, name, fleets, firing, pending):
        self.name = name
        self.job = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
        self.fleets = fleets
        self.firing = firing
        self.pending = pending
        self.minutes = max(firing)
        self.known = None

    def renamed(self, job):
        return self.job if job == "node" else f"{self.job}-{job}"

    def series(self):
        if self.known is None:
            self.known = "".join(
                f"      - series: '{series}'\n        values: '{values}'\n"
                for fleet in self.fleets for series, values in fleet.run(self.minutes, self.renamed(fleet.job)).items())
        return self.known

    def alerts(self, state=""):
        return f'ALERTS{{{state}job=~"{self.job}(-other)?"}}'

    def expectation(self, minute, selector, alerts):
        labels = sorted({self.labels(found) for found in alerts})
        samples = "".join(f"\n          - labels: '{found}'\n            value: 1" for found in labels) or " []"
        return (f"      - expr: group by ({LABELS}) ({selector})\n        eval_time: {minute}m\n"
                f"        exp_samples:{samples}\n")

    def labels(self, found):
        found = dict(found, job=self.renamed(found["job"]))
        return "{" + ", ".join(f'{key}="{value}"' for key, value in sorted(found.items()) if value) + "}"

    def expectations(self, place):
        now, since = 'alertstate="firing",', f"[{self.minutes}m]"
        fired = [found for alerts in self.firing.values() for found in alerts]
        for minute, alerts in self.firing.items():
            yield self.expectation(minute, self.alerts(now), alerts)
        if place != "short":
            yield self.expectation(self.minutes, f"max_over_time({self.alerts(now)}{since})", fired)
        yield self.expectation(self.minutes, f"max_over_time({self.alerts()}{since})", fired + self.pending)


def write(file, place, scrape, scenarios):
    file.write("rule_files: [scenarios.rules.yml, nodecanary.alerts.yml]\n")
    file.write(f"evaluation_interval: {EVALUATION[place]}s\n")
    file.write("group_eval_order: [nodecanary-pairs, nodecanary-verdicts, nodecanary-past, nodecanary-views,"
               " nodecanary-network, nodecanary-measurement]\n")
    names = json.dumps(", ".join(found.job for found in scenarios))
    file.write(f"tests:\n  - name: {names}\n    interval: {scrape}s\n    input_series:\n")
    for found in scenarios:
        file.write(found.series())
    file.write("    promql_expr_test:\n")
    for found in scenarios:
        file.writelines(found.expectations(place))


def batches():
    """(place, scrape interval, scenarios): of like length, because a test is as long as the longest."""
    kinds = {}
    for place, found in SCENARIOS:
        kinds.setdefault((place, found.fleets[0].scrape), []).append(found)
    for (place, scrape), scenarios in kinds.items():
        scenarios.sort(key=lambda found: found.minutes)
        for start in range(0, len(scenarios), TOGETHER):
            yield place, scrape, scenarios[start:start + TOGETHER]


def needed(rules, alerts):
    """The rules, but for those that no alert depends on: quantiles, and whatever else is for dashboards."""
    blocks = re.split(r"(?m)^(?=      - record:|      #|  - name:|  #)", rules)
    names = [re.match(r"      - record: (\S+)", block) for block in blocks]
    wanted, texts = set(), [alerts]
    while texts:
        text = texts.pop()
        for name, block in zip(names, blocks):
            if name and name[1] not in wanted and re.search(rf"(?<![\w:]){name[1]}(?![\w:])", text):
                wanted.add(name[1])
                texts.append(block.split("\n", 1)[1])
    return "".join(block for name, block in zip(names, blocks) if not name or name[1] in wanted)


def main(directory):
    build()
    for place in EVALUATION:
        with open(os.path.join(directory, place, "nodecanary.rules.yml"), encoding="utf-8") as file:
            rules = file.read()
        with open(os.path.join(directory, place, "nodecanary.alerts.yml"), encoding="utf-8") as file:
            rules = needed(rules, file.read())
        with open(os.path.join(directory, place, "scenarios.rules.yml"), "x", encoding="utf-8") as file:
            file.write(rules)
    for number, (place, scrape, scenarios) in enumerate(batches()):
        path = os.path.join(place, f"scenarios-{number}.test.yml")
        with open(os.path.join(directory, path), "x", encoding="utf-8") as file:
            write(file, place, scrape, scenarios)
        for found in scenarios:
            print(path, found.job, found.name, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1])
