/*
 * ipmi_device.h - the kernel's IPMI device, with a BMC behind it that answers what a file says; for tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_IPMI_DEVICE_H
#define ES_TESTS_SUPPORT_IPMI_DEVICE_H

#define IPMI_DEVICE_EVENT 1 /* something from the BMC's queue of events */
#define IPMI_DEVICE_OTHER 2 /* an answer to an earlier question, late */

/** ipmi_device_send_before - the next answer comes after a message of another kind */
void ipmi_device_send_before(int event);
/** ipmi_device_asked - how many commands were given */
unsigned ipmi_device_asked(void);

#endif
