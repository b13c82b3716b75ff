#include "upstream/upstream.h"

const char *upstream_outcome_text(enum upstream_outcome o)
{
	static const char *const texts[] = {
		[UP_DONE] = "done",
		[UP_NO_ANSWER] = "the vault ended its answer without a result",
		[UP_UNREACHABLE] = "the vault cannot be reached",
		[UP_BROKEN] = "the connection to the vault broke; it may or may not have acted",
		[UP_TLS] = "the vault's certificate was not accepted",
		[UP_STATUS] = "the vault answered with an HTTP error",
		[UP_SESSION_LOST] = "the vault has ended the session",
		[UP_UNAUTHORIZED] = "the vault did not accept narrowgate's credential",
		[UP_REDIRECT] = "the vault answered with a redirect, which is never followed",
		[UP_GARBAGE] = "the vault's answer is not MCP",
		[UP_TOO_BIG] = "the vault's answer is over the size limit",
		[UP_NOT_OFFERED] = "the vault does not offer this",
		[UP_NO_CREDENTIAL] = "narrowgate's credential for the vault is missing",
	};

	return (unsigned)o < sizeof texts / sizeof *texts ? texts[o] : "unknown outcome";
}
