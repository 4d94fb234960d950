#!/usr/bin/env bash
# Prints the path of an nginx: the system's, or one unpacked from Debian's package into the cache, without installing a
# service on this machine. The tests of Shardcast serve an origin directory with it, and skip that where there is none.
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/apus/nginx"
for path in "$(command -v nginx || true)" /usr/sbin/nginx "$cache/usr/sbin/nginx"; do
    if [ -x "$path" ]; then
        echo "$path"
        exit 0
    fi
done
command -v apt-get >/dev/null || { echo "there is no nginx, and no apt-get to fetch one" >&2; exit 69; }
mkdir -p "$cache"
cd "$cache"
apt-get download -qq nginx >/dev/null 2>&1 || { echo "the package nginx cannot be fetched: run apt-get update" >&2; exit 69; }
dpkg -x nginx_*.deb .
rm -f nginx_*.deb
echo "$cache/usr/sbin/nginx"
