#!/bin/sh
# One Kafka broker on 127.0.0.1 (KRaft, combined mode) for a laptop and for the tests: kafka.sh <directory> <port> [<controller port> [<file>]]
#
# Its libraries are those of pom.xml, copied once by Maven; what it stores is in the directory and is used again. The file has
# more of the broker's settings, which win.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
libraries=/var/tmp/mailtide-servers-$(id -u)/kafka-$(sha256sum "$here/pom.xml" | cut -c 1-12)

if [ ! -e "$libraries" ]; then
  mkdir -p -m 755 "$(dirname "$libraries")"
  fresh=$(mktemp -d "$libraries.XXXXXX")
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fresh"
  mv -T "$fresh" "$libraries" 2>/dev/null || rm -r "$fresh" # another run was faster
fi
[ $# -gt 0 ] || exit 0 # only the libraries were wanted

directory=$1 port=$2 controller=${3:-$(($2 + 1))}
mkdir -p "$directory"
cat >"$directory/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
log.dirs=$directory/log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
END
[ -z "${4:-}" ] || cat "$4" >>"$directory/server.properties"

# Small, and quick to start: the machine has other things to do.
set -- java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$libraries/*"
if [ ! -e "$directory/log/meta.properties" ]; then
  "$@" kafka.tools.StorageTool format --cluster-id bWFpbHRpZGUtbG9jYWwtMQ --config "$directory/server.properties" >/dev/null
fi
exec "$@" kafka.Kafka "$directory/server.properties"
