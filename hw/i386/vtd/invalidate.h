/*
 * intel-vtd: invalidations as both interfaces issue them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_INVALIDATE_H
#define HW_I386_VTD_INVALIDATE_H

#include "state.h"

/*
 * Carry out an invalidation of the context cache, the PASID cache or the
 * IOTLB and tell those who keep a copy of what it covers. The next
 * vtd_drain() waits for requests in flight. Big lock held.
 */
void vtd_apply_context(VTDState *s, const VTDInvalidation *inv);
void vtd_apply_pasid_cache(VTDState *s, const VTDInvalidation *inv);
void vtd_apply_iotlb(VTDState *s, const VTDInvalidation *inv);
void vtd_apply_piotlb(VTDState *s, const VTDInvalidation *inv);

#endif /* HW_I386_VTD_INVALIDATE_H */
