"""The services of Payback. None imports another; each builds on services.chassis and contracts."""
