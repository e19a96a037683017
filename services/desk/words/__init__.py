"""The desk's words about numbers: labels, reasons, ledgers, capacity, the e-mail and the calendar."""
