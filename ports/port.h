/* The whole contract of a board: what ports/run.c needs from it to run a node.
 *
 * Nothing here blocks except sl_port_sleep. Every call is made from one thread.
 */
#ifndef SL_PORTS_PORT_H
#define SL_PORTS_PORT_H

#include "base/bytes.h"
#include "base/log.h"
#include "base/time.h"
#include "link/frame.h"
#include "store/identity.h"
#include "store/records.h"

/* Monotonic, starts anywhere, wraps at 2^32. */
sl_ms sl_port_now(void);

/* UTC that the board itself trusts. False: there is none (then SNTP is used). */
bool sl_port_utc(uint64_t *unix_s, uint16_t *unix_ms);

/* len bytes from hardware or the system's generator. Does not return without them. */
void sl_port_entropy(uint8_t *out, size_t len);

/* The one TCP connection, without Nagle's delay. */
enum sl_port_line { SL_PORT_CLOSED, SL_PORT_DIALLING, SL_PORT_OPEN };
void sl_port_dial(struct sl_view host, uint16_t port);
/* error: errno-like number of the last failure, 0 for an orderly end; valid when closed. */
enum sl_port_line sl_port_line(int32_t *error);
/* Gives what was taken. A line that takes nothing any more, while bytes from it are still to be
 * received, takes and drops everything: else TLS, which sends before it reads, would never read the
 * alert that says why it was refused. */
size_t sl_port_send(struct sl_view bytes);
/* What the peer has sent, as much of it as lies together; valid until the next call for the line.
 * What is not taken comes again. Empty: nothing at present. Asked for once more after the last
 * bytes, it sees the line's end. */
struct sl_view sl_port_receive(void);
void sl_port_taken(size_t len);
void sl_port_hang_up(void);

/* SNTP datagrams, to and from the server that the board was configured with. */
bool sl_port_sntp_send(struct sl_view datagram);
size_t sl_port_sntp_receive(uint8_t *out, size_t len);

/* One SPI exchange: start it, then take the answer when it is there.
 * take: SL_FRAME_LEN bytes; false while the exchange goes on, or when it failed. */
void sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN]);
bool sl_port_spi_take(uint8_t frame[SL_FRAME_LEN]);

/* Flash for the record log: as many sectors as sl_records_init was told, SL_RECORDS_SECTOR_LEN
 * each. read: at the start only. False: it could not be read. start: one operation at a time; op
 * and its data are the board's only during the call. take: true once the operation has ended. ok:
 * it was carried out, and reads back as asked for (zeros are programmed, ones stay as they were).
 */
bool sl_port_flash_read(const struct sl_records_place *place, uint8_t *out);
void sl_port_flash_start(const struct sl_records_op *op);
bool sl_port_flash_take(bool *ok);

/* The identities that outlast a restart: the one in use, and at most one beside it, which the node
 * tries. start: one operation at a time; image is the board's until take. take: true once it has
 * ended. ok: it was carried out.
 *   TRY    keep image beside the identity in use, in place of one that was beside it
 *   ADOPT  the one beside takes the place of the one in use, which is forgotten
 *   DROP   forget the one beside
 * A power cut at any instant leaves the identity in use whole, and the one beside whole or not
 * there; in the middle of ADOPT the one or the other is in use, or both are there still. At the
 * start the board reads them into the slots of sl_node_config, the one in use first. When two are
 * there and it cannot tell otherwise, the one issued last is the one to be tried. A board without a
 * place for two gives no slots; then these are never called. */
void sl_port_identity_start(enum sl_identity_op op, struct sl_view image);
bool sl_port_identity_take(bool *ok);

void sl_port_log(const struct sl_log_event *event);

/* Sleep until due (when has_due) or until something arrives on a line above. */
void sl_port_sleep(bool has_due, sl_ms due);

#endif
