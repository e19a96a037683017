"""What whoever runs a service of records may set: environment, closed days and an authority's own targets."""
