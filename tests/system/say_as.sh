#!/bin/sh
# Publish as a node, with its own certificate: $1 site, $2 node, $3 port, $4 topic, $5 file with the
# payload, $6 -r to have it kept, or nothing.
set -eu
key=$1/../$2.key
[ -f "$key" ] || sh "$(dirname "$0")/node_key.sh" "$1/nodes/$2/identity" "$key"
# shellcheck disable=SC2086
exec mosquitto_pub -V mqttv5 -i "$2" -h 127.0.0.1 -p "$3" --cafile "$1/ca/certificate.pem" \
    --cert "$1/nodes/$2/certificate.pem" --key "$key" -q 1 $6 -t "$4" -f "$5"
