/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mkcpio DIR >archive
 *
 * Writes a directory as a "newc" cpio archive for Linux's initramfs, the same bytes each time:
 * entries in name order, all of them root's, no times. It needs no privileges, and adds the one
 * device node that the kernel wants before devtmpfs is there, /dev/console. Runs on the build host.
 */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_SIZE = 110, DEV_CONSOLE_MAJOR = 5, DEV_CONSOLE_MINOR = 1 };

typedef struct {
    const char *name;
    unsigned mode;
    unsigned nlink;
    unsigned rdev_major;
    unsigned rdev_minor;
    unsigned size;
} entry_t;

static unsigned next_inode = 1;

static void die(const char *what)
{
    fprintf(stderr, "mkcpio: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_padding(size_t written)
{
    while (written++ % 4) {
        putchar(0);
    }
}

static void write_header(const entry_t *entry)
{
    size_t name_size = strlen(entry->name) + 1;

    printf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", next_inode++, entry->mode,
           0U, 0U, entry->nlink, 0U, entry->size, 0U, 0U, entry->rdev_major, entry->rdev_minor,
           (unsigned)name_size, 0U);
    fwrite(entry->name, 1, name_size, stdout);
    write_padding(HEADER_SIZE + name_size);
}

static void write_file(const char *path, entry_t *entry)
{
    char buffer[65536];
    size_t got, total = 0;
    FILE *file = fopen(path, "rb");

    if (!file) {
        die(path);
    }
    write_header(entry);
    while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0) {
        fwrite(buffer, 1, got, stdout);
        total += got;
    }
    if (ferror(file) || total != entry->size) {
        die(path);
    }
    fclose(file);
    write_padding(total);
}

static void write_link(const char *path, entry_t *entry)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));

    if (length < 0) {
        die(path);
    }
    entry->size = (unsigned)length;
    write_header(entry);
    fwrite(target, 1, (size_t)length, stdout);
    write_padding((size_t)length);
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* `name` is the path inside the archive, "" at the top. */
static void write_tree(const char *path, const char *name)
{
    struct dirent **list;
    int count = scandir(path, &list, not_dots, by_bytes);

    if (count < 0) {
        die(path);
    }
    for (int i = 0; i < count; i++) {
        char child[PATH_MAX], child_name[PATH_MAX];
        struct stat st;
        entry_t entry = {.name = child_name, .nlink = 1};

        snprintf(child, sizeof(child), "%s/%s", path, list[i]->d_name);
        snprintf(child_name, sizeof(child_name), "%s%s%s", name, *name ? "/" : "", list[i]->d_name);
        if (lstat(child, &st)) {
            die(child);
        }
        if (S_ISDIR(st.st_mode)) {
            entry.mode = S_IFDIR | 0755;
            entry.nlink = 2;
            write_header(&entry);
            write_tree(child, child_name);
        } else if (S_ISLNK(st.st_mode)) {
            entry.mode = S_IFLNK | 0777;
            write_link(child, &entry);
        } else if (S_ISREG(st.st_mode)) {
            entry.mode = S_IFREG | (st.st_mode & 0111 ? 0755 : 0644);
            entry.size = (unsigned)st.st_size;
            write_file(child, &entry);
        }
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    entry_t console = {.name = "dev/console",
                       .mode = S_IFCHR | 0600,
                       .nlink = 1,
                       .rdev_major = DEV_CONSOLE_MAJOR,
                       .rdev_minor = DEV_CONSOLE_MINOR};
    entry_t trailer = {.name = "TRAILER!!!", .nlink = 1};

    if (argc != 2) {
        fprintf(stderr, "usage: mkcpio DIR >archive\n");
        return 2;
    }
    write_tree(argv[1], "");
    write_header(&console);
    write_header(&trailer);
    if (fflush(stdout) || ferror(stdout)) {
        die("standard output");
    }
    return 0;
}
