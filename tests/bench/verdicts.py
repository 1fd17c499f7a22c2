"""Which peers are reported up and down, where every second peer is down."""

from dataclasses import dataclass


@dataclass
class Verdicts:
    """Of one run. EXACT: requests and replies of each peer are what the network counted."""

    dead_up: int
    live_down: int
    false_losses: int
    exact: bool


def judge(program, fleet, network, meter):
    program.prepare(fleet, meter.work)
    before = network.snapshot()
    _, outputs = meter.run(program.commands(fleet, meter.work))
    traffic = network.since(before)
    seen = program.seen(fleet, meter.work, outputs)
    return verdicts(fleet, traffic, seen)


def verdicts(fleet, traffic, seen):
    up = {address for address, told in seen.items() if told.replies}
    lost = sum(max(0, traffic.replies.get(address, 0) - seen[address].replies)
               for address in fleet.alive if address in seen)
    exact = traffic.total() > 0 and all(
        address in seen and seen[address].replies == traffic.replies.get(address, 0)
        and seen[address].sent == traffic.requests.get(address, 0)
        for address in fleet.addresses)
    return Verdicts(dead_up=len(up - fleet.alive), live_down=len(fleet.alive - up),
                    false_losses=lost, exact=exact)
