"""Who fetches from whom: an origin, two levels of relays, clients."""


class Shape:
    """Every relay and client has two upstreams of the level above (one where there is only one): its own, and a neighbour's."""

    def __init__(self, clients, first=2, second=4):
        self.origin = "o"
        self.first = [f"a{index}" for index in range(min(first, max(1, clients // 4)))]
        self.second = [f"b{index}" for index in range(min(second, max(1, clients // 2)))]
        self.clients = [f"c{index}" for index in range(clients)]

    @property
    def relays(self):
        return self.first + self.second

    @property
    def nodes(self):
        return [self.origin] + self.relays + self.clients

    def upstreams(self, name):
        if name in self.first:
            return [self.origin]
        above, siblings = (self.first, self.second) if name in self.second else (self.second, self.clients)
        own = siblings.index(name) * len(above) // len(siblings)
        return [above[own]] + ([above[(own + 1) % len(above)]] if len(above) > 1 else [])
