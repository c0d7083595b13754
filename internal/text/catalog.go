package text

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// A dictionary has the translations of some texts, by key.
type dictionary map[string]string

// A tongue is what a language says.
type tongue struct {
	texts   dictionary
	plurals map[string]catalog.Message
}

// tongues has the languages. They take a moment to read, and only who speaks one
// needs it.
var tongues = map[language.Tag]func() *tongue{
	language.English: sync.OnceValue(func() *tongue { return newTongue(language.English, nil) }),
	language.French: sync.OnceValue(func() *tongue {
		return newTongue(language.French, []dictionary{
			frenchSystem(), frenchCommand(), frenchHelp(), frenchErrors(), frenchIpconfig(), frenchStory(), frenchNetwork(),
		})
	}),
}

func newTongue(tag language.Tag, dictionaries []dictionary) *tongue {
	t := &tongue{make(dictionary), make(map[string]catalog.Message)}
	for _, d := range dictionaries {
		maps.Copy(t.texts, d)
	}
	for key, p := range plurals() {
		t.plurals[key] = p[tag]
	}
	return t
}

// plain is the English text of a key: without what it is used for, in small
// letters before a bar.
func plain(key string) string {
	use, text, ok := strings.Cut(key, "|")
	if !ok || use == "" || strings.Trim(use, "abcdefghijklmnopqrstuvwxyz") != "" {
		return key
	}
	return text
}

// A Printer speaks one language. It may be used from any goroutine.
type Printer struct {
	tag      language.Tag // its region tells how a time is written
	times    language.Tag
	language language.Tag // one of Languages
	tongue   func() *tongue
	// catalog has the keys that were used so far: each is parsed when it is.
	catalog *catalog.Builder
	known   sync.Map
	printer func() *message.Printer
}

// For returns a printer of the language that fits best.
func For(tag language.Tag) *Printer { return newPrinter(tag, tag) }

// ForEnvironment returns the printer that an environment asks for, or, where it
// says nothing, the one of the language that the system knows the user by.
func ForEnvironment(getenv func(string) string) *Printer {
	tag, said := fromEnvironment(getenv)
	if !said {
		tag = systemLanguage()
	}
	times, other := timeLanguage(getenv)
	if !other {
		times = tag
	}
	return newPrinter(tag, times)
}

func newPrinter(tag, times language.Tag) *Printer {
	p := &Printer{tag: tag, times: times, language: spokenFor(tag)}
	p.tongue = tongues[p.language]
	p.catalog = catalog.NewBuilder(catalog.Fallback(language.English))
	p.printer = sync.OnceValue(func() *message.Printer {
		return message.NewPrinter(p.language, message.Catalog(p.catalog))
	})
	return p
}

// Tag returns the printer's language, with the region that was asked for.
func (p *Printer) Tag() language.Tag { return p.tag }

// Text returns the text of a key that takes no arguments.
func (p *Printer) Text(key string) string {
	if p.language == language.English {
		return plain(key)
	}
	if d, ok := p.find(key); ok {
		return d
	}
	return plain(key)
}

func (p *Printer) find(key string) (string, bool) {
	text, ok := p.tongue().texts[key]
	return text, ok
}

// Sprintf formats the text of a key like [fmt.Sprintf], in the printer's
// language; numbers, too. Times and durations are written as [Printer.Moment] and
// [Printer.Span] do. Without arguments it is [Printer.Text].
func (p *Printer) Sprintf(key string, args ...any) string {
	if len(args) == 0 {
		return p.Text(key)
	}
	words := make([]any, len(args))
	for i, a := range args {
		words[i] = p.word(a)
	}
	if !p.learn(key) {
		return fmt.Sprintf(plain(key), words...)
	}
	// A terminal has one kind of space.
	return spaces().Replace(p.printer().Sprintf(key, words...))
}

// learn brings a key into the printer's catalog. It reports false for a key that
// the language does not have, as English has none but its plurals.
func (p *Printer) learn(key string) bool {
	if known, ok := p.known.Load(key); ok {
		return known == true
	}
	var err error
	t := p.tongue()
	if m := t.plurals[key]; m != nil {
		err = p.catalog.Set(p.language, key, m)
	} else if text, ok := t.texts[key]; ok {
		err = p.catalog.SetString(p.language, key, text)
	} else {
		p.known.Store(key, false)
		return false
	}
	if err != nil {
		panic(fmt.Sprintf("text: %q in %v: %v", key, p.language, err)) // a test learns them all
	}
	p.known.Store(key, true)
	return true
}

// spaces replaces those that group the digits of a number.
var spaces = sync.OnceValue(func() *strings.Replacer { return strings.NewReplacer("\u202f", " ", "\u00a0", " ") })
