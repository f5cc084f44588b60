"""Jobs on PostgreSQL, by procrastinate."""
