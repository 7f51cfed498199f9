# Takes demo data out of Prometheus' storage, and puts new history in where there is any in /demo.
#
# Runs in a container of the server's own image, on its data, while the server itself is stopped. The arguments are the
# server's own storage flags: with another retention the history of the real data would be cut.
#
# A kill at any point leaves storage that the server can start on, and is healed by running this again: blocks appear by
# a rename each, and the write-ahead log goes only after the block that has its content is there.
set -eu
trap 'exit 1' TERM INT
data=/prometheus
stage=$data/moko-mon-demo
url=http://127.0.0.1:9099
cd "$data"
# Only this script makes snapshots: the admin API of the server is off.
rm -rf "$stage" snapshots
mkdir -p "$stage/blocks"

for text in /demo/*.om; do
    [ -e "$text" ] || continue
    /bin/promtool tsdb create-blocks-from openmetrics --max-block-duration=18h "$text" "$stage/blocks" >"$stage/log" 2>&1 ||
        { tail -n 5 "$stage/log"; exit 1; }
done

/bin/prometheus --config.file=/dev/null --web.listen-address=127.0.0.1:9099 --web.enable-admin-api "$@" >"$stage/log" 2>&1 &
server=$!
until wget -q -O /dev/null "$url/-/ready" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { tail -n 5 "$stage/log"; exit 1; }
    sleep 0.1
done
ask() {
    wget -q -T 300 -O - --post-data "$1" "$url/api/v1/admin/tsdb/$2" || { echo "$2 was refused"; tail -n 5 "$stage/log"; exit 1; }
}
while read -r match; do
    ask "match[]=$match" delete_series
done </demo/matches
ask '' clean_tombstones
# The newest hours are in the log and not in a block yet. Deleted series would keep their names there for hours, and a
# block of demo data that is newer than the log would have the server skip the log when it starts. As a block they have
# neither problem.
ask '' snapshot >/dev/null
kill "$server"
wait "$server" || :
for block in snapshots/*/*; do
    [ ! -d "$block" ] || [ -e "${block##*/}" ] || mv "$block" "$data"
done
rm -rf wal chunks_head snapshots
for block in "$stage"/blocks/*; do
    [ ! -e "$block" ] || mv "$block" "$data"
done
rm -rf "$stage"
