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
		if text := r.String(); p.Pieces(text) == text {
			t.Errorf("%s: no French for %q", r.Name(), text)
		}
	}
	if n < 25 {
		t.Errorf("only %d reasons looked at", n)
	}
}
