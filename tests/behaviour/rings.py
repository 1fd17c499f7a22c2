#!/usr/bin/python3
"""Whom each peer of a list pings with a fanout, by the description in collector/peers/fanout.h alone.

    rings.py FANOUT <NAMES        lines "observer peer", sorted
    rings.py --seed NAME          what a name's places follow from
"""
import sys

MASK = (1 << 64) - 1
VERSION = b"nodecanary rings 1\0"


def word(value, eight):
    value = ((value ^ int.from_bytes(eight, "little")) * 0x100000001B3) & MASK
    return value ^ value >> 47


def digest(data):
    value = 0xCBF29CE484222325
    whole = len(data) // 8 * 8
    for i in range(0, whole, 8):
        value = word(value, data[i:i + 8])
    value = word(value, data[whole:].ljust(8, b"\0"))
    value = word(value, len(data).to_bytes(8, "little"))
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


def seed(name):
    return digest(VERSION + bytes(c + 32 if 65 <= c <= 90 else c for c in name))


def place(state, ring):
    z = (state + (ring + 1) * 0x9E3779B97F4A7C15) & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def choices(names, fanout):
    """The ring as a list that is walked, where the program looks for the least distance."""
    seeds = {name: seed(name) for name in names}
    taken = {name: set() for name in names}
    for ring in range(min(fanout, len(names) - 1)):
        order = sorted(names, key=lambda name: (place(seeds[name], ring), name))
        for i, name in enumerate(order):
            after = order[i + 1:] + order[:i]
            taken[name].add(next(peer for peer in after if peer not in taken[name]))
    return taken


def main():
    if sys.argv[1] == "--seed":
        print(f"{seed(sys.argv[2].encode()):#018x}")
        return
    names = sys.stdin.buffer.read().split()
    pairs = ((name, peer) for name, peers in choices(names, int(sys.argv[1])).items()
             for peer in peers)
    for name, peer in sorted(pairs):
        print(name.decode(), peer.decode())


main()
