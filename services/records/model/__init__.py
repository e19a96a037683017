"""What a record is and how it counts, pure: facts, deadlines, findings and the cells that follow from them."""
