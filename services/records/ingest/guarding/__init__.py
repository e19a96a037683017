"""What keeps a worker from writing what is stale, lost or of an authority that is parked, and an API from seeing what is another's."""
