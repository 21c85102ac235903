#!/bin/sh
# See to it that the tests find a MariaDB server's program. They start one of their own; no service is needed.
set -eu

PATH=$PATH:/usr/sbin:/usr/local/sbin
if command -v mariadbd >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing mariadb-server ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server >/dev/null
else
    echo "the tests on MariaDB are left out; to have them, as root: apt-get install --no-install-recommends mariadb-server" >&2
    [ -z "${CI:-}" ]
fi
