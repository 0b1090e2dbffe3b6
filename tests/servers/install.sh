#!/bin/sh
# Installs the mail servers, the browser and the broker that the tests run, where they can be had and are missing.
#
# Debian lets only one IMAP server be installed: Dovecot is, Cyrus and Courier are unpacked with the
# libraries they lack into a directory of their own, so that no service of theirs is ever started.
set -eu

unpacked=/var/tmp/mailtide-servers-$(id -u) # read by the user that the servers run as, and kept over a restart

missing=""
command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ] || missing="$missing dovecot-imapd"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v java >/dev/null 2>&1 || missing="$missing default-jre-headless"
command -v mvn >/dev/null 2>&1 || missing="$missing maven"
to_unpack=""
for package in cyrus-imapd courier-imap; do
  [ -e "$unpacked/$package/complete" ] || to_unpack="$to_unpack $package"
done
if [ -z "$missing$to_unpack" ]; then
  exec "$(dirname "$0")/../../deploy/local/kafka.sh"
fi

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || echo "The lists of packages are old." >&2
failed=0
for package in $missing; do
  $sudo env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$package" >/dev/null || failed=1
done

unpack() {
  fresh=$(mktemp -d "$unpacked/$1.XXXXXX") || return 1
  chmod 755 "$fresh"
  mkdir -p "$fresh/debs/partial"
  apt-get install --download-only -y -qq --no-install-recommends -o Dir::Cache::archives="$fresh/debs" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$1" >/dev/null || return 1
  for deb in "$fresh"/debs/*.deb; do
    case $deb in
      */exim4* | *-dev_*) ;; # what no server of the tests runs
      *) dpkg-deb -x "$deb" "$fresh" || return 1 ;;
    esac
  done
  rm -r "$fresh/debs"
  touch "$fresh/complete"
  mv -T "$fresh" "$unpacked/$1" 2>/dev/null || rm -r "$fresh" # another run was faster
}

mkdir -p -m 755 "$unpacked"
for package in $to_unpack; do
  unpack "$package" || failed=1
done
"$(dirname "$0")/../../deploy/local/kafka.sh" || failed=1
exit $failed
