/* Texts for the broker's host. Sources: systemd.exec(5), systemd.service(5) of 252; OpenWRT's
 * package mosquitto-ssl. */
#include "broker/host.h"
#include <stdio.h>
#include <string.h>

static enum sl_exit copy(const char *text, struct sl_bytes *bytes)
{
    bytes->data = strdup(text);
    bytes->len = strlen(text);
    return bytes->data ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(MEMORY));
}

/* Runs as Mosquitto's user under systemd and as root on OpenWRT; with the tools of either. */
enum sl_exit sl_host_make_reload(struct sl_bytes *text)
{
    return copy(
        "#!/bin/sh\n"
        "# Made by sluice. Has Mosquitto read its files again: reload [PROCESS]. 'reload check' "
        "only\n"
        "# checks them. Mosquitto 2.0 lets everybody in when it cannot read a list, and logrotate "
        "has\n"
        "# it read them every night: nothing is sent unless every file is one that was installed.\n"
        "cd \"$(dirname \"$0\")\" || exit 1\n"
        "refuse() {\n"
        "    echo \"mosquitto is not told to read $1: it is not what sluice installed, or not as "
        "it\" \\\n"
        "         \"was; run 'sluice broker apply'\" >&2\n"
        "    exit 1\n"
        "}\n"
        "group=$(ls -lnd . | awk '{ print $4 }')\n"
        "for file in acl authority.pem server.pem crl.pem; do\n"
        "    sum=$(sha256sum \"$file\" 2>/dev/null) && grep -qxF -e \"$sum\" SUMS || refuse "
        "\"$file\"\n"
        "    ls -ln \"$file\" | awk -v g=\"$group\" '{ exit !($1 ~ /^-rw-r-----/ && $4 == g) }' "
        "||\n"
        "        refuse \"$file\"\n"
        "done\n"
        "[ \"$1\" != check ] || exit 0\n"
        "for pid in \"$1\" \"$(cat /run/mosquitto/mosquitto.pid 2>/dev/null)\" \\\n"
        "           \"$(cat /var/run/mosquitto.pid 2>/dev/null)\"; do\n"
        "    [ -z \"$pid\" ] || exec kill -HUP \"$pid\"\n"
        "done\n"
        "echo \"no mosquitto runs\" >&2\n"
        "exit 1\n",
        text);
}

enum sl_exit sl_host_make_unit(const struct sl_site *site, struct sl_bytes *text)
{
    *text = (struct sl_bytes){NULL, 0};
    FILE *out = open_memstream(&text->data, &text->len);
    if (!out)
        return sl_cli_fail(SL_ERROR(MEMORY));
    bool is_low = site->port < 1024;
    fprintf(
        out,
        "# Made by sluice for Debian's mosquitto.service.\n"
        "[Service]\n"
        "# Two thousand clients and Mosquitto's own files; 1024 would stop it at 1015 clients.\n"
        "LimitNOFILE=8192\n"
        "\n"
        "# As its own user from the start, in folders that systemd makes.\n"
        "User=mosquitto\n"
        "Group=mosquitto\n"
        "RuntimeDirectory=mosquitto\n"
        "LogsDirectory=mosquitto\n"
        "StateDirectory=mosquitto\n"
        "UMask=0077\n"
        "\n"
        "# Neither a start nor a reload, by logrotate either, with files that are not whole.\n"
        "ExecStartPre=\n"
        "ExecStartPre=/etc/mosquitto/sluice/reload check\n"
        "ExecReload=\n"
        "ExecReload=/etc/mosquitto/sluice/reload $MAINPID\n"
        "\n"
        "# The key's memory in no core file.\n"
        "LimitCORE=0\n"
        "\n"
        "# Nothing that a broker does not need.\n"
        "CapabilityBoundingSet=%s\n"
        "AmbientCapabilities=%s\n"
        "PrivateUsers=%s\n"
        "NoNewPrivileges=yes\n"
        "ProtectSystem=strict\n"
        "ProtectHome=yes\n"
        "ProtectProc=invisible\n"
        "ProcSubset=pid\n"
        "ProtectClock=yes\n"
        "ProtectHostname=yes\n"
        "ProtectKernelLogs=yes\n"
        "ProtectKernelModules=yes\n"
        "ProtectKernelTunables=yes\n"
        "ProtectControlGroups=yes\n"
        "PrivateDevices=yes\n"
        "PrivateTmp=yes\n"
        "PrivateMounts=yes\n"
        "RemoveIPC=yes\n"
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
        "RestrictNamespaces=yes\n"
        "RestrictRealtime=yes\n"
        "RestrictSUIDSGID=yes\n"
        "LockPersonality=yes\n"
        "MemoryDenyWriteExecute=yes\n"
        "KeyringMode=private\n"
        "DevicePolicy=closed\n"
        "SystemCallArchitectures=native\n"
        "SystemCallFilter=@system-service\n"
        "SystemCallFilter=~@privileged @resources\n"
        "SystemCallErrorNumber=EPERM\n"
        "TasksMax=32\n"
        "MemoryMax=512M\n",
        is_low ? "CAP_NET_BIND_SERVICE" : "", is_low ? "CAP_NET_BIND_SERVICE" : "",
        is_low ? "no" : "yes");
    if (fclose(out) == 0)
        return SL_EXIT_DONE;
    sl_bytes_free(text);
    return sl_cli_fail(SL_ERROR(MEMORY));
}

enum sl_exit sl_host_make_keep(struct sl_bytes *text)
{
    return copy("# Made by sluice.\n/etc/mosquitto/\n/etc/config/mosquitto\n", text);
}

enum sl_exit sl_host_make_uci(struct sl_bytes *text)
{
    return copy(
        "# Made by sluice: /etc/mosquitto/mosquitto.conf holds, because UCI knows no access list\n"
        "# and no limits of packets.\n"
        "config owrt 'owrt'\n"
        "\toption use_uci '0'\n",
        text);
}
