"""The pure core: decides everything, does nothing. No AWS, environment, clock, randomness or logging."""
