"""`python -m services.orders api|worker|migrate`."""

import sys
from pathlib import Path

from services.orders.api import routers
from services.orders.domain import domain
from services.records.holidays import scotland
from services.records.run import main

sys.exit(main(domain(scotland()), Path(__file__).parent / "migrations", "Payback: orders", routers))
