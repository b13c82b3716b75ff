/*
 * Finds a program the way execvp does, but in the PATH the child will have, not in ours.
 */
#ifndef NARROWGATE_UPSTREAM_CHILD_PATH_H
#define NARROWGATE_UPSTREAM_CHILD_PATH_H

/*
 * The file to execute for `name`: itself when it holds a slash, else the first match in the PATH of `env`
 * ("NAME=value", NULL-terminated). Only absolute entries count. Malloced; NULL when there is no executable file of
 * that name.
 */
char *child_path_find(const char *name, char *const *env);

#endif
