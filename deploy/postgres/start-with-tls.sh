#!/bin/sh
# Starts PostgreSQL's image with the key and certificate that deploy/compose/prepare.sh made, and lets nobody in over the network without TLS.
# PostgreSQL takes a key only if nobody else can read it, so it gets a copy of its own.
set -eu
own=/var/run/postgresql
install -o postgres -g postgres -m 600 /tls/server.key /tls/server.crt "$own"
exec docker-entrypoint.sh "$@" -c ssl=on -c ssl_cert_file="$own/server.crt" -c ssl_key_file="$own/server.key" \
  -c ssl_min_protocol_version=TLSv1.3 -c hba_file=/pg_hba.conf
