#include "guards/mask_names.h"

#include "base/utf8.h"
#include "guards/word.h"

#define NAME_MAX_FOLDED 64

/* Folded spelling, sorted by bytes. */
static const struct word KNOWN[] = {
	{ "accesskey", NAME_VALUE }, { "accesstier", NAME_META }, { "accesstoken", NAME_VALUE },
	{ "accountkey", NAME_VALUE }, { "actualvalue", NAME_VALUE }, { "apikey", NAME_VALUE },
	{ "apisecret", NAME_VALUE }, { "apitoken", NAME_VALUE }, { "authorization", NAME_VALUE },
	{ "authtoken", NAME_VALUE }, { "backupcodes", NAME_VALUE }, { "bearertoken", NAME_VALUE },
	{ "bundle", NAME_VALUE }, { "cachain", NAME_META }, { "certificate", NAME_META }, { "certpem", NAME_META },
	{ "cleartext", NAME_VALUE }, { "clearvalue", NAME_VALUE }, { "clientaccesskey", NAME_VALUE },
	{ "clientaccesssecret", NAME_VALUE }, { "clientkey", NAME_VALUE }, { "clientsecret", NAME_VALUE },
	{ "clientsecretkey", NAME_VALUE }, { "clienttoken", NAME_VALUE }, { "computedvalue", NAME_VALUE },
	{ "connectionstring", NAME_VALUE }, { "connectionuri", NAME_VALUE }, { "connectionurl", NAME_VALUE },
	{ "cookie", NAME_VALUE }, { "count", NAME_META }, { "credential", NAME_VALUE }, { "credentials", NAME_VALUE },
	{ "currentpassword", NAME_VALUE }, { "currentvalue", NAME_VALUE }, { "cvv", NAME_VALUE },
	{ "data", NAME_VALUE }, { "databaseurl", NAME_VALUE }, { "dbpass", NAME_VALUE },
	{ "decryptedvalue", NAME_VALUE }, { "dsn", NAME_VALUE }, { "encryptionkey", NAME_VALUE },
	{ "envvalue", NAME_VALUE }, { "expires", NAME_META }, { "fieldvalue", NAME_VALUE }, { "folder", NAME_META },
	{ "folderpath", NAME_META }, { "id", NAME_META }, { "idtoken", NAME_VALUE }, { "itemvalue", NAME_VALUE },
	{ "jwt", NAME_VALUE }, { "keypem", NAME_VALUE }, { "keytype", NAME_META }, { "kubeconfig", NAME_VALUE },
	{ "lastfour", NAME_VALUE }, { "leasehandle", NAME_META }, { "length", NAME_LENGTH },
	{ "maskedvalue", NAME_VALUE }, { "masterkey", NAME_VALUE }, { "message", NAME_PROSE },
	{ "metadata", NAME_META_MAP }, { "mnemonic", NAME_VALUE }, { "name", NAME_META }, { "namespace", NAME_META },
	{ "newapikey", NAME_VALUE }, { "newpassword", NAME_VALUE }, { "newsecret", NAME_VALUE },
	{ "newtoken", NAME_VALUE }, { "newvalue", NAME_VALUE }, { "notafter", NAME_META }, { "notbefore", NAME_META },
	{ "ok", NAME_FLAG }, { "oldpassword", NAME_VALUE }, { "oldvalue", NAME_VALUE }, { "otp", NAME_VALUE },
	{ "owner", NAME_META }, { "pass", NAME_VALUEISH }, { "passcode", NAME_VALUE }, { "passphrase", NAME_VALUE },
	{ "passwd", NAME_VALUE }, { "password", NAME_VALUE }, { "passwords", NAME_VALUE }, { "path", NAME_META },
	{ "pem", NAME_VALUE }, { "pin", NAME_VALUE }, { "plaintext", NAME_VALUE }, { "plaintextvalue", NAME_VALUE },
	{ "plainvalue", NAME_VALUE }, { "prefix", NAME_META }, { "preview", NAME_VALUE }, { "previews", NAME_VALUE },
	{ "previouspassword", NAME_VALUE }, { "previousvalue", NAME_VALUE }, { "privatekey", NAME_VALUE },
	{ "privatekeypem", NAME_VALUE }, { "pw", NAME_VALUE }, { "pwd", NAME_VALUE }, { "rawvalue", NAME_VALUE },
	{ "recoverycodes", NAME_VALUE }, { "redactedvalue", NAME_VALUE }, { "refreshtoken", NAME_VALUE },
	{ "roottoken", NAME_VALUE }, { "sastoken", NAME_VALUE }, { "scopes", NAME_META }, { "secret", NAME_VALUE },
	{ "secretaccesskey", NAME_VALUE }, { "secretaccesssecret", NAME_VALUE }, { "secretbinary", NAME_VALUE },
	{ "secretdata", NAME_VALUE }, { "secretkey", NAME_VALUE }, { "secretlength", NAME_LENGTH },
	{ "secretstring", NAME_VALUE }, { "secrettype", NAME_META }, { "secretvalue", NAME_VALUE },
	{ "securitycode", NAME_VALUE }, { "securitytoken", NAME_VALUE }, { "seed", NAME_VALUE },
	{ "sessiontoken", NAME_VALUE }, { "sharedkey", NAME_VALUE }, { "sharedsecret", NAME_VALUE },
	{ "signingkey", NAME_VALUE }, { "signingsecret", NAME_VALUE }, { "sshkey", NAME_VALUE },
	{ "status", NAME_META }, { "storagekey", NAME_VALUE }, { "storedvalue", NAME_VALUE },
	{ "stringvalue", NAME_VALUE }, { "success", NAME_FLAG }, { "temporarypassword", NAME_VALUE },
	{ "token", NAME_VALUE }, { "total", NAME_META }, { "totp", NAME_VALUE }, { "totpsecret", NAME_VALUE },
	{ "ttl", NAME_META }, { "type", NAME_META }, { "unsealkey", NAME_VALUE }, { "unsealkeys", NAME_VALUE },
	{ "uri", NAME_META }, { "username", NAME_META }, { "uuid", NAME_META }, { "value", NAME_VALUE },
	{ "valuelength", NAME_LENGTH }, { "values", NAME_VALUE }, { "version", NAME_META },
	{ "webhooksecret", NAME_VALUE },
};

/* Drops case and the signs that join words. 0 when the name is longer than any known one could be. */
static size_t fold_name(char *out, struct slice name)
{
	static const bool joins[256] = { ['_'] = true, ['-'] = true, ['.'] = true, [' '] = true };
	static const char lower_by[256] = { ['A' ... 'Z'] = 'a' - 'A' };
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (joins[(unsigned char)c])
			continue;
		if (n == NAME_MAX_FOLDED)
			return 0;
		out[n++] = (char)(c + lower_by[(unsigned char)c]);
	}
	return n;
}

/* `lease_id`, `leaseId`, `leaseID` are ids; `valid` and `paid` are words. The same for `_at`. */
static bool ends_as_word(struct slice name, struct slice lower, struct slice camel, struct slice upper)
{
	if (name.n <= lower.n || (name.p[name.n - 1] | 0x20) != lower.p[lower.n - 1])
		return false;
	char before = name.p[name.n - lower.n - 1];
	if (slice_ends(name, lower))
		return before == '_' || before == '-';
	if (slice_ends(name, camel))
		return (before >= 'a' && before <= 'z') || (before >= '0' && before <= '9');
	bool joined = before == '_' || before == '-' || (before >= 'a' && before <= 'z');
	return slice_ends(name, upper) && joined;
}

/* What the names of values end in. */
static const struct slice ENDS[] = { { "password", 8 }, { "passphrase", 10 }, { "secret", 6 }, { "apikey", 6 },
	{ "privatekey", 10 }, { "secretkey", 9 }, { "accesskey", 9 }, { "keypem", 6 },
	{ "connectionstring", 16 }, { "connectionurl", 13 }, { "passwd", 6 } };
/* What looks like a token and only turns pages. */
static const struct slice PAGES[] = { { "nexttoken", 9 }, { "pagetoken", 9 }, { "continuationtoken", 17 },
	{ "cursortoken", 11 }, { "progresstoken", 13 } };

/* Whether one of ENDS, or `token`, could be the tail. */
static bool may_end_like_value(struct slice folded)
{
	switch (word_last_pair(folded)) {
	case WORD_PAIR('r', 'd'):
	case WORD_PAIR('w', 'd'):
	case WORD_PAIR('s', 'e'):
	case WORD_PAIR('e', 't'):
	case WORD_PAIR('e', 'y'):
	case WORD_PAIR('e', 'm'):
	case WORD_PAIR('n', 'g'):
	case WORD_PAIR('r', 'l'):
	case WORD_PAIR('e', 'n'):
		return true;
	default:
		return false;
	}
}

static bool ends_like_value(struct slice folded)
{
	if (!may_end_like_value(folded))
		return false;
	for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
		if (word_ends(folded, ENDS[i]))
			return true;
	if (!word_ends(folded, SL("token")))
		return false;
	for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++)
		if (slice_ends(folded, PAGES[i]))
			return false;
	return true;
}

/* What says that a part of a value is shown, or another spelling. */
static const struct slice MANNERS[] = { { "b64", 3 }, { "base64", 6 }, { "encoded", 7 }, { "hex", 3 }, { "hint", 4 },
	{ "masked", 6 }, { "plain", 5 }, { "plaintext", 9 }, { "preview", 7 }, { "raw", 3 }, { "redacted", 8 },
	{ "string", 6 }, { "text", 4 } };

/* Whether a digit, or one of MANNERS, could be the tail. */
static bool may_end_in_manner(struct slice folded)
{
	char last = folded.n ? folded.p[folded.n - 1] : '\0';

	switch (word_last_pair(folded)) {
	case WORD_PAIR('e', 'd'):
	case WORD_PAIR('e', 'x'):
	case WORD_PAIR('n', 't'):
	case WORD_PAIR('i', 'n'):
	case WORD_PAIR('x', 't'):
	case WORD_PAIR('e', 'w'):
	case WORD_PAIR('a', 'w'):
	case WORD_PAIR('n', 'g'):
		return true;
	default:
		return last >= '0' && last <= '9';
	}
}

/* The name of a value without what says that a part, or another spelling, is shown: `value_preview`, `token_b64`, `secret2`. */
static struct slice cut_manner(struct slice folded)
{
	size_t digits = 0;

	if (!may_end_in_manner(folded))
		return folded;
	while (digits < folded.n && folded.p[folded.n - digits - 1] >= '0' && folded.p[folded.n - digits - 1] <= '9')
		digits++;
	for (size_t i = 0; i < sizeof MANNERS / sizeof *MANNERS; i++)
		if (folded.n > MANNERS[i].n && word_ends(folded, MANNERS[i]))
			return slice_head(folded, folded.n - MANNERS[i].n);
	return slice_head(folded, folded.n - digits);
}

enum name_class mask_name_class(struct slice name)
{
	char text[NAME_MAX_FOLDED];
	struct slice folded = slice_make(text, fold_name(text, name));
	const struct word *known = word_find(KNOWN, sizeof KNOWN / sizeof *KNOWN, folded);

	if (known)
		return (enum name_class)known->means;
	if (ends_as_word(name, SL("id"), SL("Id"), SL("ID")) || ends_as_word(name, SL("at"), SL("At"), SL("AT")))
		return NAME_META;
	if (slice_starts(folded, SL("expires")) || slice_starts(folded, SL("serial")))
		return NAME_META;
	if (folded.n == 0 || ends_like_value(folded))
		return NAME_VALUEISH;
	struct slice bare = cut_manner(folded);
	if (bare.n == folded.n)
		return NAME_PLAIN;
	known = word_find(KNOWN, sizeof KNOWN / sizeof *KNOWN, bare);
	return (known && known->means == NAME_VALUE) || ends_like_value(bare) ? NAME_VALUEISH : NAME_PLAIN;
}

enum name_class mask_name_class_any(struct slice name, struct arena *a)
{
	struct slice folded = utf8_fold(name, a);
	/* A name that cannot be folded is no excuse. A look-alike of metadata is none. */
	enum name_class c = folded.p ? mask_name_class(folded) : NAME_VALUE;
	return c == NAME_VALUE || c == NAME_VALUEISH ? c : NAME_PLAIN;
}

enum sentence mask_name_sentence(struct slice name)
{
	static const char *const REPORTS[] = { "message", "msg", "text", "output", "result", "content", "stdout", "stderr",
		"body", "detail", "details", "error", "reason", "response", NULL };
	static const char *const REMARKS[] = { "description", "summary", "note", "notes", "comment", "statusMessage",
		"status_message", "instructions", NULL };

	if (name.n == 0 || word_among_nocase(name, REPORTS))
		return SENTENCE_REPORT;
	return word_among_nocase(name, REMARKS) ? SENTENCE_REMARK : SENTENCE_NONE;
}
