# SPDX-License-Identifier: MPL-2.0
# Every version that the guest is made of. Suites are Debian's; the mirror is the one that apt on this machine uses.
# When a mirror no longer offers a pinned version, the newest of the same series is taken and the build says so.

LINUX_DEFAULT=6.1

LINUX_6_1_SUITE=bookworm
LINUX_6_1_VERSION=6.1.176-1

LINUX_6_12_SUITE=trixie
LINUX_6_12_VERSION=6.12.107-1

BUSYBOX_SUITE=trixie
BUSYBOX_VERSION=1:1.37.0-6

OPENSBI_SUITE=trixie
OPENSBI_VERSION=1.6-1

# For the desktop disk.
LIBDRM_SUITE=trixie
LIBDRM_VERSION=2.4.124-2

DOOM_SUITE=bookworm
DOOM_VERSION=3.0.1+really3.0.0+git1471-1

FREEDOOM_SUITE=bookworm
FREEDOOM_VERSION=0.12.1-2

# Zig is pinned, with checksums, by zig/package-lock.json.
