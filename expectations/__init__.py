"""What must be true of each table: ordinary Great Expectations suites, and what happens to rows that break them."""
