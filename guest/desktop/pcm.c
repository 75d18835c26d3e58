/* SPDX-License-Identifier: MPL-2.0 */
#include "pcm.h"

#include <errno.h>
#include <fcntl.h>
#include <sound/asound.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CHANNELS = 2 };

static void set_mask(struct snd_pcm_hw_params *params, unsigned which, unsigned bit)
{
    struct snd_mask *mask = &params->masks[which - SNDRV_PCM_HW_PARAM_FIRST_MASK];
    memset(mask, 0, sizeof(*mask));
    mask->bits[bit / 32] = 1u << (bit % 32);
}

static void set_interval(struct snd_pcm_hw_params *params, unsigned which, unsigned value)
{
    struct snd_interval *interval = &params->intervals[which - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
    *interval = (struct snd_interval){.min = value, .max = value, .integer = 1};
}

static bool set_up(int fd, unsigned rate, unsigned period, unsigned wanted)
{
    struct snd_pcm_hw_params hw;
    memset(&hw, 0, sizeof(hw));
    memset(hw.masks, 0xFF, sizeof(hw.masks));
    for (unsigned i = 0; i < sizeof(hw.intervals) / sizeof(hw.intervals[0]); i++) {
        hw.intervals[i] = (struct snd_interval){.max = ~0u};
    }
    hw.rmask = ~0u;
    set_mask(&hw, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    set_mask(&hw, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_CHANNELS, CHANNELS);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_RATE, rate);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, period);
    struct snd_interval *count =
        &hw.intervals[SNDRV_PCM_HW_PARAM_PERIODS - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
    *count = (struct snd_interval){.min = 2, .max = wanted, .integer = 1};
    if (ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &hw)) {
        return false;
    }
    unsigned periods = count->max;
    set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIODS, periods);
    hw.rmask = ~0u;
    struct snd_pcm_sw_params sw = {.period_step = 1,
                                   .avail_min = period,
                                   .start_threshold = period * periods,
                                   .stop_threshold = period * periods};
    if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw) || ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw)) {
        return false;
    }
    /* What a driver plays beyond the end is silence. */
    sw.silence_size = sw.boundary;
    return !ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw) && !ioctl(fd, SNDRV_PCM_IOCTL_PREPARE);
}

int pcm_open(const char *path, unsigned rate, unsigned period, unsigned periods)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && !set_up(fd, rate, period, periods)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

bool pcm_write(int fd, const int16_t *samples, size_t frames)
{
    while (frames) {
        struct snd_xferi xfer = {.buf = (void *)samples, .frames = frames};
        if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &xfer)) {
            if (errno == EPIPE && !ioctl(fd, SNDRV_PCM_IOCTL_PREPARE)) {
                continue;
            }
            if (errno != EINTR) {
                return false;
            }
        } else {
            samples += (size_t)xfer.result * CHANNELS;
            frames -= (size_t)xfer.result;
        }
    }
    return true;
}

bool pcm_drain(int fd)
{
    bool ok = !ioctl(fd, SNDRV_PCM_IOCTL_DRAIN);
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}
