#!/bin/sh
# The application's role: neither superuser nor BYPASSRLS, so that row-level security binds it.
set -eu
psql --username postgres --set password="$CONSENTRY_PASSWORD" <<'SQL'
CREATE ROLE consentry LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS;
CREATE DATABASE consentry OWNER consentry;
SQL
