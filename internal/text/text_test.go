package text

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if n, v, _ := strings.Cut(p, "="); n == name {
				return v
			}
		}
		return ""
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ env, want string }{
		{"", "en"},
		{"LANG=fr_FR.UTF-8", "fr-FR"},
		{"LANG=fr", "fr"},
		{"LANG=fr_CA@euro", "fr-CA"},
		{"LANG=en_GB.UTF-8", "en-GB"},
		{"LANG=de_DE.UTF-8", "en"},
		{"LANG=C", "en"},
		{"LANG=C.UTF-8", "en"},
		{"LANG=POSIX", "en"},
		{"LANG=not a locale", "en"},
		{"LANG=fr_FR LC_MESSAGES=C", "en"},
		{"LANG=C LC_MESSAGES=fr_FR", "fr-FR"},
		{"LANG=fr_FR LC_MESSAGES=fr_FR LC_ALL=C", "en"},
		{"LANG=fr_FR LC_MESSAGES=fr_FR LC_ALL=en_US.UTF-8", "en-US"},
		{"LC_ALL=fr_BE.UTF-8 LANG=C", "fr-BE"},
		{"LC_ALL= LANG=fr", "fr"},
		{"LANG=de_DE LANGUAGE=de:fr:en", "fr"},
		{"LANG=fr_FR LANGUAGE=en:fr", "en"},
		{"LANG=C LANGUAGE=fr", "en"},
		{"LANGUAGE=fr", "en"},
		{"LANG=fr_FR LANGUAGE=de", "fr-FR"},
		{"LC_TIME=fr_FR LANG=en_US", "en-US"},
	} {
		if got := Language(env(strings.Fields(c.env)...)).String(); c.env != "LANG=not a locale" && got != c.want {
			t.Errorf("%s: %s, want %s", c.env, got, c.want)
		}
	}
	if got := Language(env("LANG=not a locale")); got != language.English {
		t.Errorf("nonsense is %v", got)
	}
}

func TestTimeLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ env, want string }{
		{"LANG=en_US LC_TIME=fr_FR", "fr-FR"},
		{"LANG=fr_FR LC_TIME=C", "en"},
		{"LANG=fr_FR LC_TIME=en_DK.UTF-8", "en-DK"},
		{"LANG=en_US LC_TIME=fr_FR LC_ALL=en_GB", "en-GB"},
		{"LANG=fr_FR", "fr-FR"},
		{"LANG=fr_FR LC_TIME=ja_JP", "fr-FR"},
	} {
		if got := ForEnvironment(env(strings.Fields(c.env)...)).times.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.env, got, c.want)
		}
	}
}

func TestUserLanguage(t *testing.T) {
	t.Setenv("LC_ALL", "fr_CH.UTF-8")
	if got := UserLanguage().String(); got != "fr-CH" {
		t.Errorf("got %s", got)
	}
	for id, want := range map[uint16]string{
		0: "fr-CH", 0x0400: "fr-CH", 0x0800: "fr-CH", // neutral, user's default, system's default
		0x0407: "fr-CH", // German
		0x0409: "en", 0x0809: "en", 0x1409: "en", 0x007f: "en",
		0x040c: "fr", 0x0c0c: "fr", 0x080c: "fr",
	} {
		if got := ForLANGID(id).String(); got != want {
			t.Errorf("LANGID %#04x: %s, want %s", id, got, want)
		}
	}
}

// Every code has a text in every language, and the contract's English is that
// of package errno.
func TestSystem(t *testing.T) {
	t.Parallel()
	contract, common := 0, 0
	for code := range uint32(12000) {
		english, ok := System(code, language.AmericanEnglish)
		french, alsoOK := System(code, language.CanadianFrench)
		if ok != alsoOK {
			t.Errorf("%d is known in one language only", code)
		}
		if !ok {
			if english != fmt.Sprintf("system error %d", code) || french != fmt.Sprintf("erreur système %d", code) {
				t.Fatalf("%d, which is not known: %q, %q", code, english, french)
			}
			continue
		}
		if english == french {
			t.Errorf("%d has no French text: %q", code, french)
		}
		if e := errno.Errno(code); e.Name() != fmt.Sprint(code) {
			contract++
			if e.Error() != english {
				t.Errorf("%s: %q, package errno says %q", e.Name(), english, e.Error())
			}
		} else {
			common++
		}
	}
	if contract < 15 || common < 90 {
		t.Errorf("%d codes of the contract, %d others", contract, common)
	}
	if text, ok := System(0xffffffff, language.Japanese); ok || text != "system error 4294967295" {
		t.Errorf("the last code: %q, %v", text, ok)
	}
}

// Two codes with the same text could not be told apart, and a capital or a full
// stop would be in the middle of a sentence.
func TestSystemTextsAreFragments(t *testing.T) {
	t.Parallel()
	seen := make(map[string]uint32)
	for code, text := range systemTexts() {
		if other, ok := seen[text]; ok {
			t.Errorf("%d and %d: %q", code, other, text)
		}
		seen[text] = code
		for _, s := range []string{text, frenchSystem()[text]} {
			if strings.HasSuffix(s, ".") || strings.TrimSpace(s) != s || strings.ToLower(s[:1]) != s[:1] {
				t.Errorf("%d: %q", code, s)
			}
		}
	}
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

// dictionaries has what each language says but English, which is the keys.
func dictionaries(tag language.Tag) []dictionary {
	if tag == language.French {
		return []dictionary{frenchSystem(), frenchCommand(), frenchHelp(), frenchErrors(), frenchIpconfig(), frenchStory(), frenchNetwork()}
	}
	return nil
}

// A translation takes the arguments of its key, and is the text for it alone.
func TestPlaceholdersAgree(t *testing.T) {
	t.Parallel()
	for _, tag := range Languages() {
		where := make(map[string]bool)
		for _, d := range dictionaries(tag) {
			for key, text := range d {
				if where[key] {
					t.Errorf("%v has %q twice", tag, key)
				}
				where[key] = true
				if a, b := verbs(key), verbs(text); !slices.Equal(a, b) {
					t.Errorf("%v: %q takes %v, %q takes %v", tag, key, a, text, b)
				}
				if text == "" || strings.TrimSpace(text) == "" || strings.Contains(text, "${") {
					t.Errorf("%v: %q is %q", tag, key, text)
				}
				if strings.HasSuffix(key, "\n") != strings.HasSuffix(text, "\n") {
					t.Errorf("%v: %q and %q do not end alike", tag, key, text)
				}
			}
		}
		if got, want := len(tongues[tag]().texts), len(where); got != want {
			t.Errorf("%v has %d texts, its dictionaries %d", tag, got, want)
		}
		for key, p := range plurals() {
			if p[tag] == nil {
				t.Errorf("%v has no plural of %q", tag, key)
			}
		}
	}
	if got := verbs("%[2]s of %d %% %-8s %[1]q"); fmt.Sprint(got) != "[1q 2s 3d 4s]" {
		t.Errorf("the test itself: %v", got)
	}
}

// The catalog takes every text, and gives it back.
func TestCatalog(t *testing.T) {
	t.Parallel()
	for _, tag := range Languages() {
		p := For(tag)
		for key := range plurals() {
			if !p.learn(key) {
				t.Errorf("%v does not learn %q", tag, key)
			}
		}
		for key, text := range tongues[tag]().texts {
			if !p.learn(key) {
				t.Errorf("%v does not learn %q", tag, key)
			}
			if !strings.Contains(key, "%") && (p.Sprintf(key) != text || p.Text(key) != text) {
				t.Errorf("%v: %q: %q, want %q", tag, key, p.Text(key), text)
			}
			// An argument of each verb's type, to see that all arrive.
			args := make([]any, len(verbs(key)))
			for i, v := range verbs(key) {
				if args[i] = fmt.Sprintf("<%d>", i); v[len(v)-1] == 'd' {
					args[i] = 1000 + i
				}
			}
			got := p.Sprintf(key, args...)
			if strings.Contains(got, "%!") {
				t.Errorf("%v: %q became %q", tag, key, got)
			}
			for i := range args {
				if s, ok := args[i].(string); ok && !strings.Contains(got, s) {
					t.Errorf("%v: %q lost its argument %d: %q", tag, key, i+1, got)
				}
			}
		}
	}
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	const key = "%d events are missing: read faster"
	english, french := For(language.English), For(language.French)
	for _, c := range []struct {
		n                int
		english, inFench string
	}{
		{1, "one event is missing: read faster", "il manque 1 événement : lisez plus vite"},
		{2, "2 events are missing: read faster", "il manque 2 événements : lisez plus vite"},
		{12345, "12,345 events are missing: read faster", "il manque 12 345 événements : lisez plus vite"},
	} {
		if got := english.Sprintf(key, c.n); got != c.english {
			t.Errorf("%d: %q", c.n, got)
		}
		if got := french.Sprintf(key, c.n); got != c.inFench {
			t.Errorf("%d: %q", c.n, got)
		}
	}
}

func TestUnknownKeyIsEnglish(t *testing.T) {
	t.Parallel()
	const key = "nobody has translated %s"
	if knows(key) {
		t.Fatal("somebody has")
	}
	if got := For(language.French).Sprintf(key, "this"); got != "nobody has translated this" {
		t.Errorf("got %q", got)
	}
	if got := For(language.French).Text("verb|go"); got != "go" {
		t.Errorf("got %q", got)
	}
	if !knows("permission denied") || !knows("%d events are missing: read faster") {
		t.Error("a text that is there is not known")
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	p := For(language.French)
	for _, c := range []struct {
		fault         reason.Fault
		english, want string
	}{
		{reason.Fault{Text: "server"}, "server", "server"}, // a name
		{reason.Fault{Text: "no space left on device"}, "no space left on device", "plus de place sur le périphérique"},
		{
			reason.Fault{During: "eth0: set address 10.0.0.1/8", Text: "operation not permitted"},
			"eth0: set address 10.0.0.1/8: operation not permitted", "eth0: set address 10.0.0.1/8 : opération non permise",
		},
		{reason.Fault{During: "save", Text: "for a new reason"}, "save: for a new reason", "save: for a new reason"},
	} {
		if got := p.Fault(&c.fault); got != c.want {
			t.Errorf("%v: %q, want %q", &c.fault, got, c.want)
		}
		if got := For(language.English).Fault(&c.fault); got != c.english {
			t.Errorf("in English %v became %q", &c.fault, got)
		}
	}
	if got := p.Error(fmt.Errorf("ask: %w", context.DeadlineExceeded)); got != "ask : le temps est écoulé" {
		t.Errorf("got %q", got)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 8, 1, 15, 4, 5, 0, time.UTC)
	for _, c := range []struct{ locale, moment, long string }{
		{"C", "2026-08-01 15:04:05", "Saturday, August 1, 2026 3:04:05 PM"},
		{"en_US.UTF-8", "2026-08-01 15:04:05", "Saturday, August 1, 2026 3:04:05 PM"},
		{"en_GB.UTF-8", "2026-08-01 15:04:05", "Saturday, 1 August 2026 15:04:05"},
		{"fr_FR.UTF-8", "01/08/2026 15:04:05", "samedi 1er août 2026 15:04:05"},
		{"fr_CA.UTF-8", "01/08/2026 15:04:05", "samedi 1er août 2026 15:04:05"},
	} {
		p := ForEnvironment(env("LANG=" + c.locale))
		if got := p.Moment(at); got != c.moment {
			t.Errorf("%s: %q, want %q", c.locale, got, c.moment)
		}
		if got := p.LongMoment(at); got != c.long {
			t.Errorf("%s: %q, want %q", c.locale, got, c.long)
		}
	}
	// English words, French times.
	p := ForEnvironment(env("LANG=en_US", "LC_TIME=fr_FR"))
	if got := p.Text("permission denied") + " " + p.LongMoment(at.AddDate(0, 0, 1)); got != "permission denied dimanche 2 août 2026 15:04:05" {
		t.Errorf("got %q", got)
	}
	now := at.Add(time.Hour)
	if got := p.Clock(at, now); got != "15:04:05" {
		t.Errorf("today: %q", got)
	}
	if got := p.Clock(at.AddDate(1, 0, 0), now); got != "01/08/2027 15:04:05" {
		t.Errorf("in a year: %q", got)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration][2]string{
		-time.Second:                  {"0s", "0s"},
		0:                             {"0s", "0s"},
		300 * time.Microsecond:        {"1ms", "1ms"},
		40 * time.Millisecond:         {"40ms", "40ms"},
		118 * time.Second:             {"1m58s", "1min58s"},
		time.Hour + 30*time.Second:    {"1h", "1h"},
		26 * time.Hour:                {"1d2h", "1j2h"},
		400 * 24 * time.Hour:          {"400d", "400j"},
		time.Second - 1:               {"999ms", "999ms"},
		59*time.Second + 6e8:          {"1m", "1min"},
		23*time.Hour + 59*time.Minute: {"23h59m", "23h59min"},
	} {
		if e, f := For(language.English).Span(in), For(language.French).Span(in); e != want[0] || f != want[1] {
			t.Errorf("%v: %q, %q, want %q", in, e, f, want)
		}
	}
	if got := For(language.French).Decimal(9.94, 1); got != "9,9" {
		t.Errorf("got %q", got)
	}
	if got := For(language.French).Decimal(12, 0); got != "12" {
		t.Errorf("got %q", got)
	}
}
