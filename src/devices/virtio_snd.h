/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The sound device: VirtIO 1.2 §5.14. PCM streams that play and record, one or two channels, with
 * messages over the virtqueues; a jack for each and channel maps for mono and stereo.
 *
 * NOT IMPLEMENTED: shared memory, polled messages, periods as events, remapping of jacks.
 */
#ifndef RVKIT_DEVICES_VIRTIO_SND_H
#define RVKIT_DEVICES_VIRTIO_SND_H

#include "audio_host.h"
#include "virtio.h"

/*
 * Describes a sound device; streams are numbered from those that play on, and there are 1 to
 * AUDIO_STREAMS_MAX of both kinds together. The nth of each kind are one device in Linux. The host
 * goes over to it; false: no memory or too many streams, and it is freed.
 */
bool virtio_snd_describe(virtio_desc_t *desc, unsigned playbacks, unsigned captures,
                         const audio_host_t *host);

#endif
