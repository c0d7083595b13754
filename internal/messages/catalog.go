package messages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// A dictionary has the translations of some texts, by key.
type dictionary map[string]string

// dictionaries has what each language says but English, which is the keys.
func dictionaries(tag language.Tag) []dictionary {
	if tag == language.French {
		return []dictionary{frenchSystem, frenchCommand, frenchHelp, frenchErrors, frenchReasons, frenchIpconfig}
	}
	return nil
}

// use is the part of a key that says what its text is used for.
var use = regexp.MustCompile(`^[a-z]+\|`)

// plain is the English text of a key.
func plain(key string) string { return key[len(use.FindString(key)):] }

// built is the catalog. It takes a moment to build, and only who speaks a
// language other than English needs it.
var built = sync.OnceValue(func() *catalog.Builder {
	c := catalog.NewBuilder(catalog.Fallback(language.English))
	for _, tag := range Languages() {
		for _, d := range dictionaries(tag) {
			for key, text := range d {
				if err := c.SetString(tag, key, text); err != nil {
					panic(fmt.Sprintf("messages: %q in %v: %v", key, tag, err)) // a test reads them all
				}
			}
		}
		for key, p := range plurals {
			if err := c.Set(tag, key, p[tag]); err != nil {
				panic(fmt.Sprintf("messages: %q in %v: %v", key, tag, err))
			}
		}
	}
	return c
})

// A Printer speaks one language. It may be used from any goroutine.
type Printer struct {
	tag      language.Tag // its region tells how a time is written
	times    language.Tag
	language language.Tag // one of Languages
	printer  func() *message.Printer
}

// For returns a printer of the language that fits best.
func For(tag language.Tag) *Printer { return newPrinter(tag, tag) }

// ForEnvironment returns the printer that an environment asks for, or, where it
// says nothing, the one of the language that the system knows the user by.
func ForEnvironment(getenv func(string) string) *Printer {
	if _, said := fromEnvironment(getenv); !said && getenv("LC_TIME") == "" {
		tag := systemLanguage()
		return newPrinter(tag, tag)
	}
	return newPrinter(Language(getenv), TimeLanguage(getenv))
}

func newPrinter(tag, times language.Tag) *Printer {
	_, i, _ := matcher.Match(tag)
	p := &Printer{tag: tag, times: times, language: Languages()[i]}
	p.printer = sync.OnceValue(func() *message.Printer {
		return message.NewPrinter(p.language, message.Catalog(built()))
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
	for _, d := range dictionaries(p.language) {
		if text, ok := d[key]; ok {
			return text, true
		}
	}
	return "", false
}

// Knows reports whether the catalog has the key in every language.
func Knows(key string) bool {
	if _, ok := plurals[key]; ok {
		return true
	}
	for _, tag := range Languages()[1:] {
		if _, ok := For(tag).find(key); !ok {
			return false
		}
	}
	return true
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
	if p.language == language.English {
		if _, ok := plurals[key]; !ok {
			return fmt.Sprintf(plain(key), words...)
		}
	}
	if _, ok := plurals[key]; !ok {
		if _, ok := p.find(key); !ok {
			return fmt.Sprintf(plain(key), words...)
		}
	}
	// A terminal has one kind of space.
	return spaces.Replace(p.printer().Sprintf(key, words...))
}

// Pieces translates a text that the catalog may not have as a whole: what is
// between its colons, as far as it is known. An error's text is often made of a
// sentence of ours and the system's reason.
func (p *Printer) Pieces(text string) string {
	if p.language == language.English {
		return text
	}
	if whole, ok := p.find(text); ok {
		return whole
	}
	var b strings.Builder
	for i, piece := range strings.Split(text, ": ") {
		known, ok := p.find(piece)
		switch {
		case ok && i > 0 && p.language == language.French:
			b.WriteString(" : " + known)
		case ok:
			b.WriteString(known)
		case i > 0:
			b.WriteString(": " + piece)
		default:
			b.WriteString(piece)
		}
	}
	return b.String()
}

// verb is what takes an argument in a format.
var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z%]`)

// verbs lists what a format takes: the numbers of the arguments, each with its verb.
func verbs(format string) (list []string) {
	next := 1
	for _, v := range verb.FindAllString(format, -1) {
		if strings.HasSuffix(v, "%") {
			continue
		}
		n := next
		if _, err := fmt.Sscanf(v, "%%[%d]", &n); err != nil {
			n = next
		}
		list = append(list, fmt.Sprintf("%d%c", n, v[len(v)-1]))
		next = n + 1
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Fits reports whether the catalog has the key in every language, and it takes
// that many arguments.
func Fits(key string, args int) bool { return Knows(key) && len(verbs(key)) == args }

// spaces replaces those that group the digits of a number.
var spaces = strings.NewReplacer("\u202f", " ", "\u00a0", " ")
