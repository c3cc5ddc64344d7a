"""What the components of the ring of real tools share. Python's standard library only."""


class Skip(Exception):
    """The component cannot be tried here; says why. With CI=true that is a failure."""
