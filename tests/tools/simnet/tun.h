/*
 * tun: the device behind which the simulated network lies, in the caller's network
 * namespace. Errors are reported on standard error by the function that met them.
 */
#ifndef SIMNET_TUN_H
#define SIMNET_TUN_H

#include <stddef.h>
#include <stdint.h>

/* Packets that the kernel lost at the device, before we read them or after we wrote them.
 */
struct tun_drops {
	uint64_t requests;
	uint64_t replies;
};

/* Creates the device and brings it up. The descriptor does not block; -1 on error. */
int tun_open(const char *name);
/* 1 written, 0 lost because the device is down, -1 error. */
int tun_write(int tun, const uint8_t *packet, size_t length);
/* 0, or -1 if the kernel's counters cannot be read. */
int tun_read_drops(struct tun_drops *out, const char *name);

#endif
