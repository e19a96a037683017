"""The services of Payback. None imports another; each stands on services.chassis and contracts."""
