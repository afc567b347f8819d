"""Ready values for the pages about apps: charts, rows and words. No HTTP, no rules."""
