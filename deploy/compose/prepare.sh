#!/bin/sh
# Makes .env with secrets of its own, unless it is there. Whose tokens are believed is for you to say in it.
set -eu
cd "$(dirname "$0")/../.."
umask 077

if [ ! -e .env ]; then
  while IFS= read -r line; do
    case "$line" in
      KAFKA_CLUSTER_ID=) echo "$line$(openssl rand 16 | openssl base64 -A | tr '+/' '-_' | sed 's/^-/A/; s/=//g')" ;;
      WEBHOOKS_KEY=) echo "$line$(openssl rand 32 | openssl base64 -A | tr '+/' '-_')" ;;
      *_PASSWORD=|*_AGGREGATES_KEY=) echo "$line$(openssl rand -hex 24)" ;;
      *) echo "$line" ;;
    esac
  done <deploy/compose/example.env >.env
  echo "made .env" >&2
fi
