/* Checksums of Sluice's own formats. They find accidents, not attackers. */
#ifndef SL_BASE_CRC_H
#define SL_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-16/XMODEM: polynomial 0x1021, start 0, no reflection; "123456789" gives 0x31C3.
 * Used by the SPI link. Source: ITU-T V.41. */
uint16_t sl_crc16(const uint8_t *data, size_t len);

/* CRC-32/ISO-HDLC: polynomial 0x04C11DB7 reflected, start and final xor all ones; "123456789"
 * gives 0xCBF43926. Used by stored images. Source: ISO/IEC 13239. */
uint32_t sl_crc32(const uint8_t *data, size_t len);
/* The same, going on from crc, the checksum of what came before. */
uint32_t sl_crc32_more(uint32_t crc, const uint8_t *data, size_t len);

#endif
