-- beside Prefect's own database, which the image of PostgreSQL makes
CREATE DATABASE ledger OWNER backstop;
