"""`python -m services.orders api|worker|webhooks|migrate`."""

from services.records.processes import run_and_exit

if __name__ == "__main__":
    run_and_exit("orders")
