#!/bin/sh
# See to it that the programs are there that the tests start: a MariaDB server (they run one of their own, no service is
# needed), with Galera and what that copies nodes with, strace, which shows what was synced before it was told, and
# what checks the units for systemd.
set -eu

PATH=$PATH:/usr/sbin:/usr/local/sbin
packages=
command -v mariadbd >/dev/null || packages="$packages mariadb-server"
command -v rsync >/dev/null || packages="$packages rsync"
command -v lsof >/dev/null || packages="$packages lsof"
[ -e /usr/lib/galera/libgalera_smm.so ] || packages="$packages galera-4"
command -v strace >/dev/null || packages="$packages strace"
command -v systemd-analyze >/dev/null || packages="$packages systemd"
if [ -z "$packages" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$packages ..."
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
    echo "some tests are left out; to have them, as root: apt-get install --no-install-recommends$packages" >&2
    [ -z "${CI:-}" ]
fi
