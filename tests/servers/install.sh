#!/bin/sh
# Installs the mail servers and the browser that the tests run, where apt can and they are missing.
set -eu

missing=""
command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ] || missing="$missing dovecot-imapd"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -n "$missing" ] || exit 0

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
failed=0
for package in $missing; do
  $sudo env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$package" >/dev/null || failed=1
done
exit $failed
