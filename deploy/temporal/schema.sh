#!/bin/sh
# Creates Temporal's two databases or updates them. Runs before each start; each step is idempotent.
# Needs SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu
export SQL_PLUGIN=postgres12

for db in temporal temporal_visibility; do
	temporal-sql-tool --db "$db" create
	temporal-sql-tool --db "$db" setup-schema -v 0.0
	temporal-sql-tool --db "$db" update-schema --schema-name "postgresql/v12/${db#temporal_}"
done
