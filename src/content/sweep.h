/* Removing a folder of our own making with all that is in it. */
#ifndef BEZ_CONTENT_SWEEP_H
#define BEZ_CONTENT_SWEEP_H

/* Links are removed, not followed. What cannot be removed stays: it is swept by gc. */
void bez_remove_folder(const char *path);

#endif
