"""What is printed about the source, for documents."""
