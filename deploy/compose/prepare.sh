#!/bin/sh
# Makes .env with secrets of its own, and a key pair for development in var/. What is there already is left alone.
set -eu
cd "$(dirname "$0")/../.."
umask 077

if [ ! -e .env ]; then
  while IFS= read -r line; do
    case "$line" in
      KAFKA_CLUSTER_ID=) echo "$line$(openssl rand 16 | openssl base64 -A | tr '+/' '-_' | sed 's/^-/A/; s/=//g')" ;;
      *_PASSWORD=) echo "$line$(openssl rand -hex 24)" ;;
      *) echo "$line" ;;
    esac
  done <deploy/compose/example.env >.env
  echo "made .env" >&2
fi

if [ ! -e var/development-key.pem ]; then
  mkdir -p var
  openssl genpkey -algorithm ed25519 -out var/development-key.pem
  openssl pkey -in var/development-key.pem -pubout -out var/development-key.pub
  chmod 644 var/development-key.pub # the containers' user reads it
  echo "made var/development-key.pem and .pub; whoever holds the first can speak for anybody" >&2
fi
