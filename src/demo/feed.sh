# Pushes what the made-up scripts would publish now, again and again. What is pushed depends on the clock alone, so a
# restart, a pause or a wrong clock that was put right leaves no trace.
#
# FEED has one line for each thing: the lines of the text that is pushed, with the value at the start in front (`=`), and
# what changes them since: runs (`r`) and findings (`f`) that happen once a day, quotas (`q`) and breakers (`w`).
push() {
    page=$(printf '%s\n' "$FEED" | awk -v now="$(date +%s)" -v leaving="$1" '
        $1 == "#" { line[++lines] = $0 }
        $1 == "=" { key[++lines] = $2; value[$2] = $3; line[lines] = substr($0, length($2) + length($3) + 5) }
        # How often something has happened that first happened then and happens every day.
        function times(first) { return now < first ? 0 : int((now - first) / 86400) + 1 }
        # r FIRST SCRIPT STATUS SECONDS BUCKET [SECONDS-TO-THE-NEXT]: the last is given for a job
        $1 == "r" && (n = times($2)) {
            value["runs" $3 $4] += n
            value["sum" $3] += n * $5
            for (bucket = $6; bucket <= 13; bucket++) value["le" $3 "_" bucket] += n
            last = $2 + (n - 1) * 86400
            if (last > value["last" $3 $4]) value["last" $3 $4] = last
            if (last > newest[$3]) {
                newest[$3] = last
                value["start" $3] = last - int($5) - 1
                value["due" $3] = last + $7
            }
        }
        # f FIRST FINDING
        $1 == "f" { value["found" $3] += times($2) }
        # q API LIMIT SHARE-USED-BY-THE-END-OF-EACH-HOUR-OF-THE-DAY...
        $1 == "q" {
            value["left" $2] = $3 - int($3 * $(4 + int(now % 86400 / 3600)) * (now % 3600) / 3600)
            value["reset" $2] = now - now % 3600 + 3600
        }
        # w SERVICE PERIOD LENGTH: half-open at the beginning of each period
        $1 == "w" { value["state" $2] = !leaving && now % $3 < $4 ? 2 : 0 }
        END {
            for (i = 1; i <= lines; i++) {
                # A time of 0: it has not happened yet.
                if (key[i] == "") print line[i]
                else if (value[key[i]] != 0 || key[i] !~ /^last/) printf "%s %.2f\n", line[i], value[key[i]]
            }
        }')
    # The text has to end with a line break, which $( ) takes away.
    wget -q -T 10 -O /dev/null --post-data "$page
" "$GROUP" || echo "the push to $GROUP failed" >&2
}

# What is pushed last stays: a breaker that is half-open for ever would be an alert.
trap 'push 1; exit 0' TERM INT
while :; do
    push 0
    sleep "$INTERVAL" &
    wait $!
done
