"""Faults in an order that a seed decides, on real parts under load: `python -m tests.faults.chaos --help`, or `make chaos`.

After each fault the load that was sent meanwhile must be shown, with no hand's help; the time that took is printed by fault. At the end
of each seed everything is compared: receipts with outcomes, cells with their records and with what the pretend authorities know,
reporting with both, what compaction would leave of the national topic with what the services hold, and all of it once more by the way
of `payback prove`.
"""
