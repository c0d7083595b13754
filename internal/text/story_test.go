package text

import (
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/dhcp4"
)

// Each reason not to use a packet is there in every language.
func TestRejectionsAreTranslated(t *testing.T) {
	t.Parallel()
	p, n := For(language.French), 0
	for r := dhcp4.Rejection(1); !strings.HasPrefix(r.Name(), "rejection "); r++ {
		n++
		if text := r.String(); p.Rejection(r.Name(), text) == text || For(language.English).Rejection(r.Name(), text) != text {
			t.Errorf("%s: no French for %q", r.Name(), text)
		}
	}
	if n < 25 || n != len(frenchRejections()) {
		t.Errorf("%d reasons looked at, %d in French", n, len(frenchRejections()))
	}
	if got := p.Rejection("of-the-future", "new"); got != "new" {
		t.Errorf("got %q", got)
	}
}
