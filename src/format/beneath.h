/* Opening a file that something hostile names, below a folder and nowhere else. */
#ifndef BEZ_FORMAT_BENEATH_H
#define BEZ_FORMAT_BENEATH_H

/* A descriptor for reading (non-blocking, close-on-exec), −1 where the name is absolute, leaves the folder by ".." or a
 * symbolic link, or is not there. folder: a descriptor of it. */
int bez_open_beneath(int folder, const char *name);

#endif
