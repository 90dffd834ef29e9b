"""The simulated league."""
