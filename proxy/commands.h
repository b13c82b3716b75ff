/*
 * The commands of the binary, one function each: argv[0] is the command's own name. They return the exit status:
 * 0 yes, 1 no (a negative answer), 2 misuse or a broken file.
 */
#ifndef NARROWGATE_PROXY_COMMANDS_H
#define NARROWGATE_PROXY_COMMANDS_H

int cmd_serve(int argc, char **argv);
int cmd_stdio(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_demo_vault(int argc, char **argv);

#endif
