"""The documents that are made from the types: schemas, AsyncAPI, examples, reference pages and the data contract of the aggregates."""
