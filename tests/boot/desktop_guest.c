/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The guest's part of tests/boot/desktop.sh:
 *   desktop_guest play <RAW           plays 16 bits, two channels, 48 kHz
 *   desktop_guest record FRAMES >RAW  records the same
 *   desktop_guest events DEVICE N     prints the next N input events: type code value
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <sound/asound.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PERIOD = 1024, PERIODS = 8, FRAME = 4 };

static int fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

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

/* Opens a device with the parameters of above; -1: told. */
static int open_pcm(const char *path)
{
    struct snd_pcm_hw_params hw;
    int fd = open(path, O_RDWR);
    memset(&hw, 0, sizeof(hw));
    memset(hw.masks, 0xFF, sizeof(hw.masks));
    for (unsigned i = 0; i < sizeof(hw.intervals) / sizeof(hw.intervals[0]); i++) {
        hw.intervals[i] = (struct snd_interval){.max = ~0u};
    }
    hw.rmask = ~0u;
    set_mask(&hw, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    set_mask(&hw, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_RATE, 48000);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, PERIOD);
    set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIODS, PERIODS);
    struct snd_pcm_sw_params sw = {.period_step = 1,
                                   .avail_min = PERIOD,
                                   .start_threshold = PERIOD * PERIODS,
                                   .stop_threshold = PERIOD * PERIODS};
    bool ok = fd >= 0 && !ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &hw) &&
              !ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw);
    /* What the driver sends when it has played all of it is silence. */
    sw.silence_size = sw.boundary;
    if (!ok || ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &sw) || ioctl(fd, SNDRV_PCM_IOCTL_PREPARE)) {
        fail(path);
        return -1;
    }
    return fd;
}

static int play(void)
{
    static char buf[PERIOD * FRAME];
    int fd = open_pcm("/dev/snd/pcmC0D0p");
    size_t got;
    unsigned long frames = 0;
    while (fd >= 0 && (got = fread(buf, FRAME, PERIOD, stdin))) {
        struct snd_xferi xfer = {.buf = buf, .frames = got};
        if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &xfer)) {
            return fail("write");
        }
        frames += got;
    }
    if (fd < 0 || ioctl(fd, SNDRV_PCM_IOCTL_DRAIN)) {
        return fail("drain");
    }
    printf("played %lu frames\n", frames);
    return 0;
}

static int record(unsigned long frames)
{
    static char buf[PERIOD * FRAME];
    int fd = open_pcm("/dev/snd/pcmC0D0c");
    if (fd < 0 || ioctl(fd, SNDRV_PCM_IOCTL_START)) {
        return fail("start");
    }
    while (frames) {
        struct snd_xferi xfer = {.buf = buf, .frames = frames < PERIOD ? frames : PERIOD};
        if (ioctl(fd, SNDRV_PCM_IOCTL_READI_FRAMES, &xfer) || xfer.result <= 0) {
            return fail("read");
        }
        fwrite(buf, FRAME, (size_t)xfer.result, stdout);
        frames -= (unsigned long)xfer.result;
    }
    return 0;
}

static int events(const char *path, unsigned count)
{
    int fd = open(path, O_RDONLY);
    struct input_event event;
    if (fd < 0) {
        return fail(path);
    }
    printf("listening\n");
    fflush(stdout);
    while (count-- && read(fd, &event, sizeof(event)) == sizeof(event)) {
        printf("%u %u %d, ", event.type, event.code, event.value);
    }
    printf("end\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "play")) {
        return play();
    }
    if (argc == 3 && !strcmp(argv[1], "record")) {
        return record(strtoul(argv[2], NULL, 0));
    }
    if (argc == 4 && !strcmp(argv[1], "events")) {
        return events(argv[2], (unsigned)atoi(argv[3]));
    }
    return 2;
}
