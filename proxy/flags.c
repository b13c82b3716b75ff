#include "proxy/flags.h"

#include <getopt.h>
#include <stdio.h>

#define MAX_FLAGS 16
#define FIRST_LONG 256

static void print_help(const char *usage, const char *about, const struct flag *flags)
{
	printf("usage: narrowgate %s\n\n%s\n", usage, about);
	if (flags->name)
		printf("\n");
	for (const struct flag *f = flags; f->name; f++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%s--%s%s%s%s", f->letter ? '-' : ' ', f->letter ? f->letter : ' ', f->letter ? ", " : "  ",
			f->name, f->value ? " " : "", f->value ? f->value : "", f->many ? "…" : "");
		printf("  %-30s %s\n", left, f->help);
	}
}

static struct flag *find(struct flag *flags, int code)
{
	if (code >= FIRST_LONG)
		return &flags[code - FIRST_LONG];
	for (struct flag *f = flags; f->name; f++)
		if (f->letter == code)
			return f;
	return NULL;
}

static bool keep(struct flag *f, const char *value)
{
	if (f->n && !f->many) {
		fprintf(stderr, "narrowgate: --%s is given twice\n", f->name);
		return false;
	}
	if (f->n == FLAG_MAX_VALUES) {
		fprintf(stderr, "narrowgate: --%s is given too often\n", f->name);
		return false;
	}
	f->given[f->n++] = value ? value : "";
	return true;
}

int flags_parse(int argc, char **argv, const char *usage, const char *about, struct flag *flags)
{
	struct option longs[MAX_FLAGS + 2] = { { "help", no_argument, NULL, 'h' } };
	char shorts[2 * MAX_FLAGS + 4] = "+h";
	size_t at = 2;
	int code;

	for (size_t i = 0; flags[i].name; i++) {
		int takes = flags[i].value ? required_argument : no_argument;

		longs[i + 1] = (struct option){ flags[i].name, takes, NULL, FIRST_LONG + (int)i };
		if (!flags[i].letter)
			continue;
		shorts[at++] = flags[i].letter;
		if (flags[i].value)
			shorts[at++] = ':';
	}
	optind = 1;
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		struct flag *f = code == '?' || code == 'h' ? NULL : find(flags, code);

		if (code == 'h') {
			print_help(usage, about, flags);
			return -2;
		}
		if (!f) {
			fprintf(stderr, "narrowgate: %s is no option of this command or lacks its value; see narrowgate %s --help\n",
				argv[optind - 1], argv[0]);
			return -1;
		}
		if (!keep(f, optarg))
			return -1;
	}
	return optind;
}

const char *flag_value(const struct flag *f)
{
	return f->n ? f->given[f->n - 1] : NULL;
}

size_t flag_values(const struct flag *f, struct slice *out)
{
	for (size_t i = 0; i < f->n; i++)
		out[i] = slice_of(f->given[i]);
	return f->n;
}
