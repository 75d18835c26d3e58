/* SPDX-License-Identifier: MPL-2.0 */
/* The command line program: a machine on this terminal, or under a script. */
#include "app.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, NULL);
}
