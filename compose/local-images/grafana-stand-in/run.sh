#!/bin/sh
# Entry point, as in Grafana's image: settings named GF_<NAME>__FILE are read from the file that they name, then the
# server takes this shell's place. Arguments of the container go to the server.
set -eu

for name in $(env | sed -n 's/^\(GF_[A-Za-z0-9_]*\)__FILE=.*/\1/p'); do
    plain='' file=''
    eval "plain=\${$name-} file=\${${name}__FILE}"
    if [ -n "$plain" ]; then
        echo "run.sh: $name and ${name}__FILE exclude each other, set one of them" >&2
        exit 1
    fi
    # Trailing line ends are dropped, as the real one does.
    export "$name=$(cat "$file")"
    unset "${name}__FILE"
done

exec grafana server \
    --homepath="$GF_PATHS_HOME" \
    --config="$GF_PATHS_CONFIG" \
    --packaging=docker \
    "$@"
