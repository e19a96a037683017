"""What is asked of the schema reporting, and the vintages that can be asked for."""
