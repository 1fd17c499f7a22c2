"""The peers that are pinged, and how far away each of them is."""

DELAYS_MS = (0.1, 1.0, 10.0, 100.0)


class Fleet:
    """SIZE peers: four delays in turn, every second one dead if half_dead."""

    def __init__(self, size, half_dead=False):
        self.size = size
        self.addresses = [f"10.1.{i // 256}.{i % 256}" for i in range(1, size + 1)]
        self.delay_ms = {
            address: DELAYS_MS[i // (2 if half_dead else 1) % len(DELAYS_MS)]
            for i, address in enumerate(self.addresses)
        }
        self.alive = set(self.addresses[::2] if half_dead else self.addresses)

    def plan(self):
        """For tests/simnet; it is silent for whoever is in no line."""
        return "".join(f"{address} delay={round(self.delay_ms[address] * 1000)}us\n"
                       for address in self.addresses if address in self.alive)

    def config(self, probe=""):
        """An INI file for nodecanary; PROBE is what its section [probe] says."""
        peers = "".join(f"worker{i} = {address}\n"
                        for i, address in enumerate(self.addresses, 1))
        return (f"[probe]\n{probe}" if probe else "") + "[peers]\n" + peers
