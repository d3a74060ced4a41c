"""Mending and quickening policies: changes tried on a scratch copy, of which only what holds is offered."""
