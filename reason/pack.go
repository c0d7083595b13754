package reason

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// separator is between the fields of a packed cause.
const separator = "\x1f"

// Pack returns a cause in few bytes, for a journal that is kept in memory. It
// keeps the fields that the reason has, except when a lease ends. The fault's text
// comes last. A packed cause may be cut at the end. It is "" for a cause without
// a reason.
func (c *Cause) Pack() string {
	if c.Reason == None {
		return ""
	}
	parts := []string{c.Reason.String()}
	for _, f := range packed(c.Reason) {
		text := ""
		if v, ok := c.Get(f); ok {
			text = fmt.Sprint(v)
		}
		parts = append(parts, text)
	}
	if f := c.Fault; f != nil {
		parts = append(parts, strconv.FormatUint(uint64(f.Errno), 10), f.During, f.Text)
	}
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], separator, "?")
	}
	return strings.TrimRight(strings.Join(parts, separator), separator)
}

// packed lists the fields of a reason that Pack keeps, in their order, but for the
// fault, which comes last. The time at which a lease ends is not kept.
func packed(r Reason) []Field {
	d, _ := Define(r)
	var list []Field
	for _, f := range slices.Concat(d.Needs, d.May) {
		if f != FieldFault && f != FieldExpires {
			list = append(list, f)
		}
	}
	return list
}

// Unpack returns the cause that was packed, as far as it was kept.
func Unpack(text string) Cause {
	parts := strings.Split(text, separator)
	c := Cause{Reason: Reason(parts[0])}
	parts = parts[1:]
	for _, f := range packed(c.Reason) {
		if len(parts) == 0 {
			return c
		}
		c.set(f, parts[0])
		parts = parts[1:]
	}
	if len(parts) > 0 {
		n, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil {
			n = 0 // cut
		}
		c.Fault = &Fault{Errno: uint32(n)}
		if len(parts) > 1 {
			c.Fault.During = parts[1]
		}
		if len(parts) > 2 {
			c.Fault.Text = parts[2]
		}
	}
	return c
}

// set sets a field from its text; one that cannot be read, because it was cut,
// stays unset.
func (c *Cause) set(f Field, text string) {
	number := func() int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	span := func() (d Duration) {
		_ = d.UnmarshalText([]byte(text))
		return d
	}
	switch f {
	case FieldAddress:
		if a, err := netip.ParseAddr(text); err == nil {
			c.Address = a
		}
	case FieldManager:
		c.Manager = text
	case FieldHow:
		c.How = text
	case FieldTimeout:
		c.Timeout = span()
	case FieldMin:
		c.Min = span()
	case FieldMax:
		c.Max = span()
	case FieldInfinite:
		c.Infinite = text == "true"
	case FieldObjects:
		c.Objects = text
	case FieldMessage:
		c.Message = text
	case FieldPath:
		c.Path = text
	case FieldCount:
		c.Count = number()
	case FieldLimit:
		c.Limit = number()
	case FieldUser:
		c.User = text
	case FieldGroup:
		c.Group = text
	case FieldField:
		c.Field = text
	case FieldValue:
		c.Value = text
	case FieldWant:
		c.Want = text
	case FieldGot:
		c.Got = text
	case FieldMethod:
		c.Method = text
	case FieldAllow:
		c.Allow = text
	case FieldFault, FieldExpires: // see packed
	}
}
