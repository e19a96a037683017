"""An operator's settings for a service of records: environment, closed days and authorities' own targets."""
