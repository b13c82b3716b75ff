#include "base/confusables.h"

#include <stddef.h>

struct row {
	uint32_t c;
	char ascii;
};

/*
 * Sorted. Only case-folded, decomposed characters occur. Where a small letter and its capital imitate different ASCII
 * letters, the small one's likeness stands; what imitates a capital I folds as an I.
 */
static const struct row rows[] = {
	/* Latin */
	{ 0x0131, 'i' }, { 0x0138, 'k' }, { 0x0185, 'b' }, { 0x018D, 'g' }, { 0x0192, 'f' }, { 0x01A8, '2' },
	{ 0x01BD, 's' }, { 0x01BF, 'p' }, { 0x01C0, 'l' }, { 0x021D, '3' }, { 0x0223, '8' }, { 0x0237, 'j' },
	{ 0x0251, 'a' }, { 0x025C, '3' }, { 0x0261, 'g' }, { 0x0262, 'g' }, { 0x0263, 'y' }, { 0x0269, 'i' },
	{ 0x026A, 'i' }, { 0x026F, 'w' }, { 0x0274, 'n' }, { 0x0280, 'r' }, { 0x028B, 'u' }, { 0x028F, 'y' },
	{ 0x0292, '3' }, { 0x0299, 'b' }, { 0x029C, 'h' }, { 0x029D, 'j' }, { 0x029F, 'l' },
	/* Greek, Coptic */
	{ 0x03B1, 'a' }, { 0x03B2, 'b' }, { 0x03B3, 'y' }, { 0x03B5, 'e' }, { 0x03B6, 'z' }, { 0x03B7, 'h' },
	{ 0x03B9, 'i' }, { 0x03BA, 'k' }, { 0x03BC, 'm' }, { 0x03BD, 'v' }, { 0x03BF, 'o' }, { 0x03C1, 'p' },
	{ 0x03C3, 'o' }, { 0x03C4, 't' }, { 0x03C5, 'u' }, { 0x03C7, 'x' }, { 0x03DD, 'f' }, { 0x03E9, '2' },
	{ 0x03ED, 'o' }, { 0x03F2, 'c' }, { 0x03F3, 'j' }, { 0x03F8, 'p' }, { 0x03FB, 'm' },
	/* Cyrillic */
	{ 0x0430, 'a' }, { 0x0431, '6' }, { 0x0432, 'b' }, { 0x0433, 'r' }, { 0x0435, 'e' }, { 0x0437, '3' },
	{ 0x043A, 'k' }, { 0x043C, 'm' }, { 0x043D, 'h' }, { 0x043E, 'o' }, { 0x043F, 'n' }, { 0x0440, 'p' },
	{ 0x0441, 'c' }, { 0x0442, 't' }, { 0x0443, 'y' }, { 0x0445, 'x' }, { 0x0447, '4' }, { 0x0448, 'w' },
	{ 0x044C, 'b' }, { 0x0454, 'e' }, { 0x0455, 's' }, { 0x0456, 'i' }, { 0x0458, 'j' }, { 0x0461, 'w' },
	{ 0x0475, 'v' }, { 0x04AF, 'y' }, { 0x04BB, 'h' }, { 0x04BD, 'e' }, { 0x04C0, 'l' }, { 0x04CF, 'l' },
	{ 0x04E1, '3' }, { 0x0501, 'd' }, { 0x050D, 'g' }, { 0x051B, 'q' }, { 0x051D, 'w' },
	/* Armenian */
	{ 0x0561, 'w' }, { 0x0563, 'q' }, { 0x0566, 'q' }, { 0x056C, 'l' }, { 0x0570, 'h' }, { 0x0575, 'j' },
	{ 0x0578, 'n' }, { 0x057C, 'n' }, { 0x057D, 'u' }, { 0x057F, 's' }, { 0x0581, 'g' }, { 0x0582, 'i' },
	{ 0x0584, 'f' }, { 0x0585, 'o' },
	/* Hebrew */
	{ 0x05D5, 'l' }, { 0x05D8, 'v' }, { 0x05DF, 'l' }, { 0x05E1, 'o' },
	/* Arabic */
	{ 0x0627, 'l' }, { 0x0647, 'o' }, { 0x0661, 'l' }, { 0x0665, 'o' }, { 0x0667, 'v' }, { 0x06BE, 'o' },
	{ 0x06C1, 'o' }, { 0x06D5, 'o' }, { 0x06F1, 'l' }, { 0x06F5, 'o' }, { 0x06F7, 'v' },
	/* zeros and rings of other scripts */
	{ 0x07C0, 'o' }, { 0x07CA, 'l' }, { 0x0966, 'o' }, { 0x0969, '3' }, { 0x09E6, 'o' }, { 0x09EA, '8' },
	{ 0x09ED, '9' }, { 0x0A66, 'o' }, { 0x0A67, '9' }, { 0x0A6A, '8' }, { 0x0AE6, 'o' }, { 0x0AE9, '3' },
	{ 0x0B20, 'o' }, { 0x0B66, 'o' }, { 0x0B68, '9' }, { 0x0BE6, 'o' }, { 0x0C66, 'o' }, { 0x0CE6, 'o' },
	{ 0x0D1F, 's' }, { 0x0D20, 'o' }, { 0x0D66, 'o' }, { 0x0D6D, '9' }, { 0x0E50, 'o' }, { 0x0ED0, 'o' },
	{ 0x1004, 'c' }, { 0x101D, 'o' }, { 0x1040, 'o' }, { 0x105A, 'c' }, { 0x10E7, 'y' }, { 0x10FF, 'o' },
	/* Cherokee */
	{ 0x13A0, 'd' }, { 0x13A1, 'r' }, { 0x13A2, 't' }, { 0x13A5, 'i' }, { 0x13A9, 'y' }, { 0x13AA, 'a' },
	{ 0x13AB, 'j' }, { 0x13AC, 'e' }, { 0x13B1, 'r' }, { 0x13B3, 'w' }, { 0x13B7, 'm' }, { 0x13BB, 'h' },
	{ 0x13BD, 'y' }, { 0x13C0, 'g' }, { 0x13C2, 'h' }, { 0x13C3, 'z' }, { 0x13CE, '4' }, { 0x13CF, 'b' },
	{ 0x13D2, 'r' }, { 0x13D4, 'w' }, { 0x13D5, 's' }, { 0x13D9, 'v' }, { 0x13DA, 's' }, { 0x13DE, 'l' },
	{ 0x13DF, 'c' }, { 0x13E2, 'p' }, { 0x13E6, 'k' }, { 0x13E7, 'd' }, { 0x13EE, '6' }, { 0x13F3, 'g' },
	{ 0x13F4, 'b' },
	/* Canadian syllabics */
	{ 0x142F, 'v' }, { 0x144C, 'u' }, { 0x146D, 'p' }, { 0x146F, 'd' }, { 0x1472, 'b' }, { 0x148D, 'j' },
	{ 0x14AA, 'l' }, { 0x14BF, '2' }, { 0x1541, 'x' }, { 0x157C, 'h' }, { 0x157D, 'x' }, { 0x1587, 'r' },
	{ 0x15AF, 'b' }, { 0x15B4, 'f' }, { 0x15C5, 'a' }, { 0x15DE, 'd' }, { 0x15EA, 'd' }, { 0x15F0, 'm' },
	{ 0x15F7, 'b' }, { 0x166D, 'x' }, { 0x166E, 'x' },
	/* runes */
	{ 0x16B7, 'x' }, { 0x16C1, 'i' }, { 0x16D5, 'k' }, { 0x16D6, 'm' },
	/* phonetic and small capitals */
	{ 0x1D00, 'a' }, { 0x1D04, 'c' }, { 0x1D05, 'd' }, { 0x1D07, 'e' }, { 0x1D0A, 'j' }, { 0x1D0B, 'k' },
	{ 0x1D0D, 'm' }, { 0x1D0F, 'o' }, { 0x1D11, 'o' }, { 0x1D18, 'p' }, { 0x1D1B, 't' }, { 0x1D1C, 'u' },
	{ 0x1D20, 'v' }, { 0x1D21, 'w' }, { 0x1D22, 'z' }, { 0x1D26, 'r' }, { 0x1D83, 'g' }, { 0x1D8C, 'y' },
	{ 0x1E9D, 'f' }, { 0x1EFF, 'y' },
	/* Coptic */
	{ 0x2C81, 'a' }, { 0x2C83, 'b' }, { 0x2C85, 'r' }, { 0x2C89, 'e' }, { 0x2C8D, 'z' }, { 0x2C8F, 'h' },
	{ 0x2C93, 'i' }, { 0x2C95, 'k' }, { 0x2C99, 'm' }, { 0x2C9B, 'n' }, { 0x2C9D, '3' }, { 0x2C9F, 'o' },
	{ 0x2CA3, 'p' }, { 0x2CA5, 'c' }, { 0x2CA7, 't' }, { 0x2CA9, 'y' }, { 0x2CAD, 'x' }, { 0x2CBD, 'w' },
	{ 0x2CC5, '3' }, { 0x2CCB, '9' }, { 0x2CCD, '3' }, { 0x2CCF, 'p' }, { 0x2CD1, 'i' }, { 0x2CD3, '6' },
	{ 0x2CDD, '6' },
	/* Tifinagh */
	{ 0x2D38, 'v' }, { 0x2D39, 'e' }, { 0x2D4F, 'l' }, { 0x2D54, 'o' }, { 0x2D55, 'q' }, { 0x2D5D, 'x' },
	/* ideographic zero */
	{ 0x3007, 'o' },
	/* Lisu */
	{ 0xA4D0, 'b' }, { 0xA4D1, 'p' }, { 0xA4D2, 'd' }, { 0xA4D3, 'd' }, { 0xA4D4, 't' }, { 0xA4D6, 'g' },
	{ 0xA4D7, 'k' }, { 0xA4D9, 'j' }, { 0xA4DA, 'c' }, { 0xA4DC, 'z' }, { 0xA4DD, 'f' }, { 0xA4DF, 'm' },
	{ 0xA4E0, 'n' }, { 0xA4E1, 'l' }, { 0xA4E2, 's' }, { 0xA4E3, 'r' }, { 0xA4E6, 'v' }, { 0xA4E7, 'h' },
	{ 0xA4EA, 'w' }, { 0xA4EB, 'x' }, { 0xA4EC, 'y' }, { 0xA4EE, 'a' }, { 0xA4F0, 'e' }, { 0xA4F2, 'i' },
	{ 0xA4F3, 'o' }, { 0xA4F4, 'u' },
	/* more Cyrillic and Latin */
	{ 0xA645, '2' }, { 0xA647, 'i' }, { 0xA6DF, 'v' }, { 0xA6EF, '2' }, { 0xA730, 'f' }, { 0xA731, 's' },
	{ 0xA75B, '2' }, { 0xA76B, '3' }, { 0xA76F, '9' }, { 0xA799, 'f' }, { 0xA79F, 'u' }, { 0xA7AF, 'q' },
	{ 0xA7B5, 'b' }, { 0xA7FE, 'i' }, { 0xAB32, 'e' }, { 0xAB35, 'f' }, { 0xAB3D, 'o' }, { 0xAB47, 'r' },
	{ 0xAB48, 'r' }, { 0xAB4E, 'u' }, { 0xAB52, 'u' }, { 0xAB53, 'x' }, { 0xAB5A, 'y' },
	/* Old Italic */
	{ 0x10301, 'b' }, { 0x10302, 'c' }, { 0x10309, 'i' }, { 0x10311, 'm' }, { 0x10315, 't' }, { 0x10317, 'x' },
	{ 0x1031A, '8' }, { 0x10320, 'l' }, { 0x10322, 'x' },
	/* Deseret, Osage, Elbasan */
	{ 0x1042C, 'o' }, { 0x1043D, 'c' }, { 0x10443, 'i' }, { 0x10448, 's' }, { 0x104DC, 'r' }, { 0x104EA, 'o' },
	{ 0x104F6, 'u' }, { 0x104FA, '7' }, { 0x10513, 'n' }, { 0x10516, 'o' }, { 0x10518, 'k' }, { 0x1051C, 'c' },
	{ 0x1051D, 'v' }, { 0x10525, 'f' }, { 0x10526, 'l' }, { 0x10527, 'x' },
};

uint32_t confusable_letter(uint32_t c)
{
	size_t low = 0, high = sizeof(rows) / sizeof(*rows);

	/* Outlined letters and digits of Unicode 16, which older tables do not decompose. */
	if (c >= 0x1CCD6 && c <= 0x1CCEF)
		return 'a' + (c - 0x1CCD6);
	if (c >= 0x1CCF0 && c <= 0x1CCF9)
		return '0' + (c - 0x1CCF0);
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (rows[mid].c == c)
			return (uint32_t)rows[mid].ascii;
		if (rows[mid].c < c)
			low = mid + 1;
		else
			high = mid;
	}
	return c;
}
