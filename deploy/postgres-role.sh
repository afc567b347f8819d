#!/bin/sh
# Two roles, neither superuser nor BYPASSRLS, so that row-level security binds both. The owner migrates
# (DATABASE_OWNER_URL) and does nothing else; the portal runs as `consentry` (DATABASE_URL), which owns nothing. With
# CONSENTRY_BACKUP_PASSWORD a third is made, which reads every row and writes none: for `manage.py backup`.
set -eu
psql --username postgres --set password="$CONSENTRY_PASSWORD" --set owner_password="$CONSENTRY_OWNER_PASSWORD" <<'SQL'
CREATE ROLE consentry_owner LOGIN PASSWORD :'owner_password' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE consentry LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS;
CREATE DATABASE consentry OWNER consentry_owner;
SQL
if [ -n "${CONSENTRY_BACKUP_PASSWORD:-}" ]; then
    psql --username postgres --set password="$CONSENTRY_BACKUP_PASSWORD" <<'SQL'
CREATE ROLE consentry_backup LOGIN PASSWORD :'password' NOSUPERUSER BYPASSRLS;
GRANT pg_read_all_data TO consentry_backup;
SQL
fi
