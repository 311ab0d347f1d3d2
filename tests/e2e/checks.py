"""checks.py: what a test in Python finds: check(what should hold, what it means when it does not)."""


class Checks:
    """Counts what holds; the first that does not ends the program."""

    def __init__(self):
        self.n = 0

    def __call__(self, holds, why):
        if not holds:
            raise SystemExit("FAILED: " + why)
        self.n += 1
