// Package wordstest checks that a language has its words for every reason.
package wordstest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/reason"
)

// Filled returns a cause with a value in every field.
func Filled(r reason.Reason) reason.Cause {
	return reason.Cause{
		Reason: r, Address: netip.MustParseAddr("10.77.0.9"), Manager: "dhcpcd", How: "pid 7 has UDP port 68 open",
		Timeout: reason.Duration(20 * time.Second), Min: reason.Duration(time.Second), Max: reason.Duration(time.Hour),
		Expires: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Infinite: true, Message: "REQUEST", Objects: "address 10.77.0.5/24",
		Fault: &reason.Fault{During: "save", Text: "no space left on device", Errno: 28},
		Path:  "/run/x", Count: 108, Limit: 107, User: "alice", Group: "netdev", Field: "keep", Value: "soon", Want: "boolean", Got: "string",
		Method: "PUT", Allow: "GET, POST",
	}
}

// Faults compares a language with the table of reasons, and with another
// language: what is missing or left over, fields that a reason does not have, a
// text that may not be said, and a field that only one of the two says.
func Faults(texts, other map[reason.Reason]words.Text) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, d := range reason.Table() {
		t, ok := texts[d.Reason]
		if !ok {
			fault("%s has no words", d.Reason)
			continue
		}
		o := other[d.Reason]
		for _, pair := range [...][2]string{{t.Detail, o.Detail}, {t.Hint, o.Hint}} {
			text := pair[0]
			if a, b := said(text), said(pair[1]); !slices.Equal(a, b) {
				fault("%s: %q says %v, the other language %v", d.Reason, text, a, b)
			}
			if strings.TrimSpace(text) != text || strings.HasSuffix(text, ".") {
				fault("%s: %q is no part of a sentence", d.Reason, text)
			}
			for _, f := range said(text) {
				if f != words.Adapter && !slices.Contains(d.Needs, f) && !slices.Contains(d.May, f) {
					fault("%s: %q says %q, which it does not have", d.Reason, text, f)
				}
			}
		}
		if detail := t.Detail[strings.LastIndex(t.Detail, "|")+1:]; detail != "" {
			for _, f := range words.Fields(detail) {
				if !slices.Contains(d.Needs, f) {
					fault("%s: %q cannot always be said: it takes %q", d.Reason, t.Detail, f)
				}
			}
		}
		for _, f := range d.Needs {
			if !slices.Contains(said(t.Detail+t.Hint), f) {
				fault("%s: no text says %q", d.Reason, f)
			}
		}
	}
	for r := range texts {
		if _, ok := reason.Define(r); !ok {
			fault("there is no reason %q any more", r)
		}
	}
	return faults
}

// said lists the fields of a text's variants, each variant's in order.
func said(text string) []reason.Field {
	var list []reason.Field
	for variant := range strings.SplitSeq(text, "|") {
		of := words.Fields(variant)
		slices.Sort(of)
		list = append(list, slices.Compact(of)...)
	}
	return list
}
