package text

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/internal/words/wordstest"
	"github.com/lessee/lessee/reason"
)

// Each reason has words in every language, with the same fields in each.
func TestReasonsAreTranslated(t *testing.T) {
	t.Parallel()
	for _, tag := range Languages() {
		for _, f := range wordstest.Faults(reasons(tag), words.English()) {
			t.Errorf("%v: %s", tag, f)
		}
	}
	for _, d := range reason.Table() {
		c := wordstest.Filled(d.Reason)
		english, englishHint, _ := For(language.English).Cause(&c, "eth0", c.Expires)
		french, frenchHint, known := For(language.French).Cause(&c, "eth0", c.Expires)
		if !known || english != "" && english == french && !strings.HasPrefix(reasons(language.French)[d.Reason].Detail, "{") || englishHint != "" && englishHint == frenchHint {
			t.Errorf("%s: %q, %q in English and in French", d.Reason, english, englishHint)
		}
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("somewhere", -5*3600))
	c := reason.Cause{Reason: reason.NoServer, Timeout: reason.Duration(1500 * time.Millisecond), Expires: now.Add(time.Hour).UTC()}
	detail, hint, known := For(language.French).Cause(&c, "eth0", now)
	if detail != "aucun serveur DHCP n'a répondu en 1,5s" || hint != "le bail reste valable jusqu'à 16:04:05" || !known {
		t.Errorf("%q, %q, %v", detail, hint, known)
	}
	if detail, hint, known := For(language.French).Cause(&reason.Cause{Reason: "of-the-future"}, "eth0", now); known || detail != "" || hint != "" {
		t.Errorf("%q, %q, %v", detail, hint, known)
	}
}
