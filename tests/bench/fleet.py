"""The peers that are pinged, and how far away each of them is."""

DELAYS_MS = (0.1, 1.0, 10.0, 100.0)


class Fleet:
    """SIZE peers: four delays in turn, and every so many of them dead."""

    def __init__(self, size, dead_every=None, family=4):
        self.size = size
        self.family = family
        self.addresses = [f"10.1.{i // 256}.{i % 256}" if family == 4 else f"fd00:1::{i:x}"
                          for i in range(1, size + 1)]
        self.delay_ms = {
            address: DELAYS_MS[i % len(DELAYS_MS)]
            for i, address in enumerate(self.addresses)
        }
        self.alive = {address for i, address in enumerate(self.addresses, 1)
                      if not dead_every or i % dead_every}

    def plan(self):
        """For tests/tools/simnet; it is silent for whoever is in no line."""
        return "".join(f"{address} delay={round(self.delay_ms[address] * 1000)}us\n"
                       for address in self.addresses if address in self.alive)

    def config(self, probe=""):
        """An INI file for nodecanary; PROBE is what its section [probe] says."""
        peers = "".join(f"worker{i} = {address}\n"
                        for i, address in enumerate(self.addresses, 1))
        return (f"[probe]\n{probe}" if probe else "") + "[peers]\n" + peers
