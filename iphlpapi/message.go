package iphlpapi

import "github.com/lessee/lessee/internal/text"

// The primary language identifiers that [FormatMessage] speaks, of those that
// Windows has. The others, and every sublanguage, are accepted, too.
const (
	LANG_NEUTRAL = 0x00 // the user's language
	LANG_ENGLISH = 0x09
	LANG_FRENCH  = 0x0c
)

// MakeLangID is MAKELANGID of Windows: a primary language, ten bits, with its
// sublanguage, six bits.
func MakeLangID(primary, sub uint16) uint16 { return sub<<10 | primary&0x3ff }

// FormatMessage returns the text of a system error code in the language that
// langid names: without a capital at its beginning, a full stop or a newline at
// its end. [LANG_NEUTRAL], with any sublanguage, is the user's language: that of
// LC_ALL, LC_MESSAGES or LANG, or else of the desktop. So is a language that is
// not spoken here. A code that is not known has the system's own text on Windows,
// and is else told by its number, such as "system error 4242".
func FormatMessage(code Errno, langid uint16) string {
	text, known := text.System(uint32(code), text.ForLANGID(langid))
	if !known {
		if own, ok := systemMessage(code, langid); ok {
			return own
		}
	}
	return text
}
