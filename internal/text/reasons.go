package text

import (
	"strconv"
	"time"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/reason"
)

// reasons returns what a language says of each reason.
func reasons(tag language.Tag) map[reason.Reason]words.Text {
	if tag == language.French {
		return frenchReasons()
	}
	return words.English()
}

// Cause puts a cause on an adapter into the printer's words: what is wrong, and
// what follows from it or what to do. Times are told as seen from now, in its
// zone. known is false for a reason that is not known here, or without a field
// that it needs: the daemon's own words are shown then.
func (p *Printer) Cause(c *reason.Cause, adapter string, now time.Time) (detail, hint string, known bool) {
	if !c.Complete() {
		return "", "", false
	}
	detail, hint = words.Say(reasons(p.language), adapter, c, words.Style{
		Span:   p.Wait,
		Clock:  func(t time.Time) string { return p.Clock(t, now) },
		Number: func(n int64) string { return strconv.FormatInt(n, 10) },
		Fault:  p.Fault,
	})
	return detail, hint, true
}

// Fault writes an error of the system: what it says is translated where the
// words are known.
func (p *Printer) Fault(f *reason.Fault) string {
	said, colon := f.Text, ": "
	if p.language == language.French {
		if french, ok := frenchFaults()[f.Text]; ok {
			said, colon = french, " : "
		}
	}
	if f.During == "" {
		return said
	}
	return f.During + colon + said
}

// Error writes an error that has no reason: one of the system, or of a library.
func (p *Printer) Error(err error) string { return p.Fault(fault.Of(err)) }

// Rejection says why a packet was not used: its name as the counters have it, in
// English.
func (p *Printer) Rejection(name, english string) string {
	if p.language == language.French {
		if french, ok := frenchRejections()[name]; ok {
			return french
		}
	}
	return english
}
