"""`python -m services.unpaid_work api|worker|migrate`."""

import sys
from pathlib import Path

from services.records.holidays import scotland
from services.records.run import main
from services.unpaid_work.api import routers
from services.unpaid_work.domain import domain

sys.exit(main(domain(scotland()), Path(__file__).parent / "migrations", "Payback: unpaid work", routers))
