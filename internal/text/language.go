package text

import (
	"os"
	"strings"

	"golang.org/x/text/language"
)

// Languages lists the languages that every text is there in. The first is what
// is spoken to those who understand none of them.
func Languages() []language.Tag { return []language.Tag{language.English, language.French} }

// spokenFor returns the one of [Languages] that a tag is spoken to in.
func spokenFor(tag language.Tag) language.Tag {
	base, _ := tag.Base()
	for _, l := range Languages() {
		if b, _ := l.Base(); b == base {
			return l
		}
	}
	return Languages()[0]
}

// UserLanguage returns the language of the user of this process: as [Language]
// finds it in the environment, or else as the system knows it.
func UserLanguage() language.Tag {
	if tag, ok := fromEnvironment(os.Getenv); ok {
		return tag
	}
	return systemLanguage()
}

// Language returns the language that the environment asks for, with its region
// if it names one: LC_ALL, or else LC_MESSAGES, or else LANG, in the form
// "fr_CA.UTF-8". LANGUAGE, a list such as "fr:en", comes before them unless they
// say C or POSIX. The result's base is always one of [Languages]; English if
// nothing else fits.
func Language(getenv func(string) string) language.Tag {
	tag, _ := fromEnvironment(getenv)
	return tag
}

// fromEnvironment reports, too, whether the environment says anything.
func fromEnvironment(getenv func(string) string) (_ language.Tag, found bool) {
	locale := localeOf(getenv, "LC_MESSAGES")
	if locale == "" {
		return language.English, false
	}
	if !isC(locale) {
		for l := range strings.SplitSeq(getenv("LANGUAGE"), ":") {
			if tag, ok := parse(l); ok {
				return tag, true
			}
		}
	}
	tag, _ := parse(locale)
	return tag, true
}

// timeLanguage returns the language in which the environment wants the date and
// the time, where it is to be another one than that of the messages: LC_TIME's,
// if it is one of ours or C, unless LC_ALL overrides it.
func timeLanguage(getenv func(string) string) (language.Tag, bool) {
	locale := getenv("LC_TIME")
	if getenv("LC_ALL") != "" || locale == "" {
		return language.English, false
	}
	tag, ok := parse(locale)
	return tag, ok || isC(locale)
}

// localeOf returns the locale in charge of a category (locale(7)).
func localeOf(getenv func(string) string, category string) string {
	for _, name := range []string{"LC_ALL", category, "LANG"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	return ""
}

func isC(locale string) bool {
	name, _, _ := strings.Cut(locale, ".")
	return name == "C" || name == "POSIX"
}

// parse reads a locale's name: language[_TERRITORY][.CODESET][@modifier]. It
// reports whether the language is one of ours.
func parse(locale string) (language.Tag, bool) {
	name, _, _ := strings.Cut(locale, ".")
	name, _, _ = strings.Cut(name, "@")
	if name == "" || isC(name) {
		return language.English, false
	}
	tag, err := language.Parse(strings.ReplaceAll(name, "_", "-"))
	if err != nil {
		return language.English, false
	}
	return ours(tag)
}

// ours reduces a tag to its language and region, English where we do not speak it.
func ours(tag language.Tag) (language.Tag, bool) {
	base, _ := tag.Base()
	spoken := spokenFor(tag)
	if b, _ := spoken.Base(); b != base {
		return spoken, false
	}
	if region, sure := tag.Region(); sure == language.Exact {
		if t, err := language.Compose(base, region); err == nil {
			return t, true
		}
	}
	return spoken, true
}

// Primary language identifiers of Windows: the lower ten bits of a LANGID. The
// others are the sublanguage, such as that of Canada.
const (
	primaryMask    = 0x3ff
	primaryNeutral = 0x00
	primaryEnglish = 0x09
	primaryFrench  = 0x0c
	// primaryInvariant is LANG_INVARIANT: the same for everybody.
	primaryInvariant = 0x7f
)

// ForLANGID returns the language of a LANGID of Windows. A neutral one, whatever
// its sublanguage, is the user's; so is one of a language that is not spoken
// here. English and French are so with every sublanguage.
func ForLANGID(id uint16) language.Tag {
	switch id & primaryMask {
	case primaryEnglish, primaryInvariant:
		return language.English
	case primaryFrench:
		return language.French
	case primaryNeutral:
	}
	return UserLanguage()
}
