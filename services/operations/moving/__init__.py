"""Moving the books to another Kafka."""
