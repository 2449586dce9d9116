# A Mosquitto as the system would start it, with files that 'broker install' wrote below $work/root: its
# own configuration differs only in the paths. For tests that have read cli_lib.sh.
chmod 711 "$work" # Mosquitto becomes its own user when root starts it

make_root() { # Debian's own files
    mkdir -p root/etc/mosquitto/conf.d root/run/mosquitto
    cat >root/etc/mosquitto/mosquitto.conf <<END
pid_file /run/mosquitto/mosquitto.pid
persistence true
persistence_location /var/lib/mosquitto/
log_dest file /var/log/mosquitto/mosquitto.log
include_dir /etc/mosquitto/conf.d
END
    [ "$(id -u)" != 0 ] || chown mosquitto root/run/mosquitto
}
# start_mosquitto [SED-SCRIPT]: sets $mosquitto; its configuration changed by the script.
start_mosquitto() {
    rm -f broker.log # what an earlier one said is no sign of this one
    {
        printf 'pid_file %s\nlog_dest stderr\nlog_timestamp_format %%Y-%%m-%%dT%%H:%%M:%%S\n' \
            "$work/root/run/mosquitto/mosquitto.pid"
        cat root/etc/mosquitto/conf.d/sluice.conf
    } | sed "s, /etc/, $work/root/etc/,; ${1:-}" >running.conf
    # shellcheck disable=SC2086
    env ${preload:-} "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c running.conf >broker.log 2>&1 &
    mosquitto=$!
    pids="$pids $mosquitto"
    until_true grep -q ' running$' broker.log || fail "mosquitto does not start"
}
end_mosquitto() {
    kill "$mosquitto"
    wait "$mosquitto" 2>/dev/null
}
in_root() { echo "root/etc/mosquitto/sluice/$1"; }
