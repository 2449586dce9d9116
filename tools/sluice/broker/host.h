/* What a Mosquitto needs on its host besides its own files: texts for systemd, for OpenWRT, and the
 * script that stands between it and every reload. */
#ifndef SL_CLI_BROKER_HOST_H
#define SL_CLI_BROKER_HOST_H

#include "site/site.h"

/* Below a root. */
#define SL_HOST_UNIT      "etc/systemd/system/mosquitto.service.d/sluice.conf"
#define SL_HOST_KEEP      "lib/upgrade/keep.d/sluice-broker"
#define SL_HOST_UCI       "etc/config/mosquitto"
#define SL_CONF_BYTES_MAX 65536

/* Each on the heap; free it with sl_bytes_free. */
SL_MUST_CHECK enum sl_exit sl_host_make_reload(struct sl_bytes *text);
SL_MUST_CHECK enum sl_exit sl_host_make_unit(const struct sl_site *site, struct sl_bytes *text);
SL_MUST_CHECK enum sl_exit sl_host_make_keep(struct sl_bytes *text);
SL_MUST_CHECK enum sl_exit sl_host_make_uci(struct sl_bytes *text);

#endif
