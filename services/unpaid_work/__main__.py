"""`python -m services.unpaid_work api|worker|webhooks|migrate`."""

from services.records.processes import run_and_exit

if __name__ == "__main__":
    run_and_exit("unpaid_work")
