"""What the desk says of numbers: labels, reasons, ledgers, capacity, the e-mail and the calendar."""
