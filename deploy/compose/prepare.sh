#!/bin/sh
# Makes .env with secrets of its own, and adds to one that is there what a newer version needs besides. Whose tokens are believed is for
# you to say in it. Makes PostgreSQL's key and certificate too, by which our processes know it: to change them, remove var/postgres, run this
# again, and start everything again.
set -eu
cd "$(dirname "$0")/../.."
umask 077

was_there=true
[ -e .env ] || { was_there=false; : >.env; }
[ -z "$(tail -c 1 .env)" ] || echo >>.env
while IFS= read -r line; do
  name=${line%%=*}
  case "$line" in
    \#*|"") "$was_there" || echo "$line" >>.env; continue ;;
  esac
  grep -q "^$name=" .env && continue
  case "$line" in
    KAFKA_CLUSTER_ID=) value=$(openssl rand 16 | openssl base64 -A | tr '+/' '-_' | sed 's/^-/A/; s/=//g') ;;
    WEBHOOKS_KEY=) value=$(openssl rand 32 | openssl base64 -A | tr '+/' '-_') ;;
    *_PASSWORD=|*_AGGREGATES_KEY=) value=$(openssl rand -hex 24) ;;
    *) value=${line#*=} ;;
  esac
  echo "$name=$value" >>.env
  echo "made $name" >&2
done <deploy/compose/example.env

if ! [ -e var/postgres/server.key ]; then
  mkdir -p var/postgres
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=postgres -addext subjectAltName=DNS:postgres \
    -keyout var/postgres/server.key -out var/postgres/server.crt
  chmod a+rx var var/postgres
  chmod a+r var/postgres/server.crt
  echo "made var/postgres" >&2
fi
