/*
 * narrowgate: an MCP proxy sidecar that narrows what a vault's token can do. The map of this room:
 *
 *   main.c           the commands                        cmd_*.c          one command each
 *   app.c            what lives as long as the process   backend.c        one configured vault
 *   agent.c          who calls, and what they were given channel.c        one downstream conversation
 *   trunk.c          one conversation with a vault       exchange*.c      one request in flight: the waist
 *   sidecar.c        the front that agents talk to       demo_vault*.c    the other front: a vault to try it on
 *   tcp*.c http*.c endpoint*.c   MCP over HTTP           stdio.c          MCP on stdin and stdout
 *   tls*.c tcp_filter.c          TLS in between, and client certificates
 *   admin.c          health and readiness                audit.c          one line a decision
 *   load.c reload.c  configuration, now and later        harden.c         what the process gives up
 *   memory.c         what it keeps                       changed.c        agents told that lists may show other things
 *   reading.c        long messages, slice by slice       fiber.c          a stack to put aside
 *   remap.c          ids on a shared trunk               fetch.c          the vault's tool list, read by ourselves
 *   revive.c         a vault that forgot us              resume.c         streams taken up where they broke
 *   batch.c          several messages in one array       service.c        loop, signals, the end
 *   showing.c        what a vault shows, read to be …    accept.c         … accepted, and written into its pins file
 *
 * Below: guards/ decides, upstream/ talks to vaults, policy/ is the contract, mcp/ the grammar, base/ the ground.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <openssl/crypto.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>
#include <llhttp.h>
#include <uv.h>
#include <yaml.h>
#include "proxy/commands.h"
#include "proxy/harden.h"
#include "proxy/memory.h"
#include "upstream/curl_api.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "serve", cmd_serve, "the sidecar: agents connect over HTTP" },
	{ "stdio", cmd_stdio, "wrap a server for one agent on stdin and stdout" },
	{ "check", cmd_check, "validate a configuration and print what each agent may do" },
	{ "explain", cmd_explain, "decide one request without sending it anywhere" },
	{ "demo-vault", cmd_demo_vault, "a small in-memory vault with sample secrets" },
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *to)
{
	fprintf(to, "usage: narrowgate COMMAND [OPTION…]\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\nnarrowgate COMMAND --help says more; narrowgate --version names the libraries.\n");
}

static int print_version(void)
{
	char pcre[64] = "";
	int major, minor, patch;
	struct curl_api curl;
	const char *no_curl;
	bool has_curl = curl_api_open(&curl, &no_curl);

	pcre2_config(PCRE2_CONFIG_VERSION, pcre);
	yaml_get_version(&major, &minor, &patch);
	printf("narrowgate %s\nlibuv %s\nllhttp %d.%d.%d\n%s\n%s\nlibyaml %d.%d.%d\nPCRE2 %s\n", NARROWGATE_VERSION, uv_version_string(),
		LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH, OpenSSL_version(OPENSSL_VERSION), has_curl ? curl.version() : no_curl,
		major, minor, patch, pcre);
	if (has_curl)
		curl_api_close(&curl);
	return 0;
}

int main(int argc, char **argv)
{
	memory_init();
	if (!harden_process()) {
		fprintf(stderr, "narrowgate: OpenSSL could not be started\n");
		return 2;
	}
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "narrowgate: there is no command \"%s\"; see narrowgate --help\n", argv[1]);
	return 2;
}
