/* SPDX-License-Identifier: MPL-2.0 */
/* What Chocolate Doom's own build writes into a file of this name. */
#define PACKAGE_NAME "Chocolate Doom"
#define PACKAGE_TARNAME "chocolate-doom"
#define PACKAGE_VERSION RVKIT_DOOM_VERSION
#define PACKAGE_STRING PACKAGE_NAME " " PACKAGE_VERSION
#define PROGRAM_PREFIX "chocolate-"
#define HAVE_DIRENT_H
#define HAVE_DECL_STRCASECMP 1
#define HAVE_DECL_STRNCASECMP 1
#define DISABLE_SDL2MIXER
