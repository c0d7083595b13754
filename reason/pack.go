package reason

import (
	"strconv"
	"strings"
)

// separator is between the fields of a packed cause.
const separator = "\x1f"

// Pack returns a cause in few bytes, for a journal that is kept in memory. It
// keeps what says why something hinders: the reason, the message, who manages
// the adapter, and the fault, whose text comes last. A packed cause may be cut
// at the end. It is "" for a cause without a reason.
func (c *Cause) Pack() string {
	if c.Reason == None {
		return ""
	}
	parts := []string{c.Reason.String(), c.Message, c.Manager, c.How}
	if f := c.Fault; f != nil {
		parts = append(parts, strconv.FormatUint(uint64(f.Errno), 10), f.During, f.Text)
	}
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], separator, "?")
	}
	return strings.TrimRight(strings.Join(parts, separator), separator)
}

// Unpack returns the cause that was packed, as far as it was kept.
func Unpack(packed string) Cause {
	var c Cause
	var name, number, during string
	rest := packed
	next := func(s *string) bool {
		var more bool
		*s, rest, more = strings.Cut(rest, separator)
		return more
	}
	next(&name)
	c.Reason = Reason(name)
	next(&c.Message)
	next(&c.Manager)
	if !next(&c.How) {
		return c
	}
	next(&number)
	next(&during)
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		n = 0 // cut
	}
	c.Fault = &Fault{During: during, Text: rest, Errno: uint32(n)}
	return c
}
