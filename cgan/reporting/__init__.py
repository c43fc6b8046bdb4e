"""Reports: reads results.json and history.csv, writes tables, figures and pages; no torch."""
