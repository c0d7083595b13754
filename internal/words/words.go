// Package words puts causes into words: how a text takes the fields of a cause,
// and the texts in English. Package lessee words its errors with it; package text
// has the other languages.
package words

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lessee/lessee/reason"
)

// Adapter is what stands in a text for the name of the adapter.
const Adapter reason.Field = "adapter"

// A Text is what a language says of a reason: what went wrong, and what follows
// from it or what to do. A Detail of "" leaves it to the text of the error's code.
//
// A field of the cause stands in braces, as in "no answer in {timeout}". A text
// may be several with a bar between them: the first that has all its fields is
// said. A field that is true or false says nothing itself.
type Text struct{ Detail, Hint string }

// A Style is how a language writes the values of fields.
type Style struct {
	Span   func(time.Duration) string
	Clock  func(time.Time) string
	Number func(int64) string
	Fault  func(*reason.Fault) string
}

// cut takes the first field out of a text: what stands before it, its name, and
// the rest. Without one it is the text alone.
func cut(text string) (before string, field reason.Field, rest string, found bool) {
	before, rest, found = strings.Cut(text, "{")
	if !found {
		return text, "", "", false
	}
	name, rest, found := strings.Cut(rest, "}")
	if !found {
		return text, "", "", false
	}
	return before, reason.Field(name), rest, true
}

// Fields lists the fields that a text takes.
func Fields(text string) (list []reason.Field) {
	for {
		_, f, rest, found := cut(text)
		if !found {
			return list
		}
		list, text = append(list, f), rest
	}
}

// Fill returns the text with the fields of a cause in it. The adapter's name may
// be "" where none is concerned. It is "" if no variant has all its fields.
func Fill(text, adapter string, c *reason.Cause, s Style) string {
	for variant := range strings.SplitSeq(text, "|") {
		if filled, ok := s.fill(variant, adapter, c); ok {
			return filled
		}
	}
	return ""
}

func (s Style) fill(text, adapter string, c *reason.Cause) (string, bool) {
	var b strings.Builder
	for {
		before, f, rest, found := cut(text)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		text = rest
		if f == Adapter {
			if adapter == "" {
				return "", false
			}
			b.WriteString(adapter)
			continue
		}
		v, ok := c.Get(f)
		if !ok {
			return "", false
		}
		b.WriteString(s.value(v))
	}
}

func (s Style) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return s.Number(v)
	case netip.Addr:
		return v.String()
	case reason.Duration:
		return s.Span(time.Duration(v))
	case time.Time:
		return s.Clock(v)
	case *reason.Fault:
		return s.Fault(v)
	}
	return ""
}

// Plain is how English is written where nothing is known of the reader: times
// are in the zone of this process.
var Plain = Style{
	Span:   time.Duration.String,
	Clock:  func(t time.Time) string { return t.Local().Format(time.TimeOnly) },
	Number: func(n int64) string { return strconv.FormatInt(n, 10) },
	Fault:  (*reason.Fault).Error,
}

// Say puts a cause into the words of a language. Both are "" where the language
// does not know the reason, or a field is missing that it needs.
func Say(texts map[reason.Reason]Text, adapter string, c *reason.Cause, s Style) (detail, hint string) {
	t, ok := texts[c.Reason]
	if !ok || !c.Complete() {
		return "", ""
	}
	return Fill(t.Detail, adapter, c, s), Fill(t.Hint, adapter, c, s)
}
