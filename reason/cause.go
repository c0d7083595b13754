package reason

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// A Cause is a reason and what is known of it. Which fields a reason has says
// [Define]; the others are zero, and absent in JSON.
type Cause struct {
	Reason Reason `json:"reason,omitempty"`

	// Address is the address that it is about.
	Address netip.Addr `json:"address,omitzero"`
	// Manager is the program that manages the adapter, as in lessee.Adapter, and
	// How how that is known, such as "pid 7 has UDP port 68 open".
	Manager string `json:"manager,omitempty"`
	How     string `json:"how,omitempty"`
	// Timeout is how long the caller waited or wanted to; Min and Max bound it.
	Timeout Duration `json:"timeout,omitzero"`
	Min     Duration `json:"min,omitzero"`
	Max     Duration `json:"max,omitzero"`
	// Expires is when the lease that is still in use ends. A lease without end
	// has Infinite instead.
	Expires  time.Time `json:"expires,omitzero"`
	Infinite bool      `json:"infinite,omitempty"`
	// Objects are addresses and routes of the kernel, such as "address
	// 10.77.0.5/24, route 0.0.0.0/0 metric 1002".
	Objects string `json:"objects,omitempty"`
	// Message is the type of a DHCP message, such as "REQUEST".
	Message string `json:"message,omitempty"`
	// Fault is the error of the system behind it.
	Fault *Fault `json:"fault,omitempty"`
	// Path is that of a socket, or of a resource of the API.
	Path string `json:"path,omitempty"`
	// Count is a number of bytes, or the position of one, and Limit the largest;
	// or how often something happened; or an MTU, and Limit what it must be.
	Count int64 `json:"count,omitempty"`
	Limit int64 `json:"limit,omitempty"`
	// User is who called, such as "alice (uid 1000)", and Group the group whose
	// members may do what he may not.
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
	// Field is a field of a request's body or a parameter of its URL, Value
	// what it has; Want and Got are types of JSON.
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"`
	Want  string `json:"want,omitempty"`
	Got   string `json:"got,omitempty"`
	// Method is that of the request, Allow those that the path takes, with
	// commas between them.
	Method string `json:"method,omitempty"`
	Allow  string `json:"allow,omitempty"`
}

// A Duration is a time span whose JSON form is a text such as "1h30m0s".
type Duration time.Duration

// String returns the form of [time.Duration].
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// A Fault is an error of the operating system or of another program, whose
// words are not ours.
type Fault struct {
	// During is what was tried, "" if the text says it.
	During string `json:"during,omitempty"`
	// Text is what the system says, in English.
	Text string `json:"text"`
	// Errno is the system's number of the error, 0 if it has none.
	Errno uint32 `json:"errno,omitempty"`
}

// Error returns the fault in one line.
func (f *Fault) Error() string {
	if f.During == "" {
		return f.Text
	}
	return f.During + ": " + f.Text
}

// FaultOf returns the fault in an error, or one of the error's text; nil for nil.
func FaultOf(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Text: err.Error()}
}

// A Field names a field of [Cause], as in its JSON form.
type Field string

// The fields.
const (
	FieldAddress  Field = "address"
	FieldManager  Field = "manager"
	FieldHow      Field = "how"
	FieldTimeout  Field = "timeout"
	FieldMin      Field = "min"
	FieldMax      Field = "max"
	FieldExpires  Field = "expires"
	FieldInfinite Field = "infinite"
	FieldObjects  Field = "objects"
	FieldMessage  Field = "message"
	FieldFault    Field = "fault"
	FieldPath     Field = "path"
	FieldCount    Field = "count"
	FieldLimit    Field = "limit"
	FieldUser     Field = "user"
	FieldGroup    Field = "group"
	FieldField    Field = "field"
	FieldValue    Field = "value"
	FieldWant     Field = "want"
	FieldGot      Field = "got"
	FieldMethod   Field = "method"
	FieldAllow    Field = "allow"
)

// Get returns the value of a field; false if the cause does not have it. The
// value is a string, an int64, a bool, a [netip.Addr], a [Duration], a
// [time.Time] or a [*Fault].
func (c *Cause) Get(f Field) (any, bool) {
	switch f {
	case FieldAddress:
		return c.Address, c.Address.IsValid()
	case FieldManager:
		return c.Manager, c.Manager != ""
	case FieldHow:
		return c.How, c.How != ""
	case FieldTimeout:
		return c.Timeout, c.Timeout != 0
	case FieldMin:
		return c.Min, c.Min != 0
	case FieldMax:
		return c.Max, c.Max != 0
	case FieldExpires:
		return c.Expires, !c.Expires.IsZero()
	case FieldInfinite:
		return c.Infinite, c.Infinite
	case FieldObjects:
		return c.Objects, c.Objects != ""
	case FieldMessage:
		return c.Message, c.Message != ""
	case FieldFault:
		return c.Fault, c.Fault != nil
	case FieldPath:
		return c.Path, c.Path != ""
	case FieldCount:
		return c.Count, c.Count != 0
	case FieldLimit:
		return c.Limit, c.Limit != 0
	case FieldUser:
		return c.User, c.User != ""
	case FieldGroup:
		return c.Group, c.Group != ""
	case FieldField:
		return c.Field, c.Field != ""
	case FieldValue:
		return c.Value, true // "" is one
	case FieldWant:
		return c.Want, c.Want != ""
	case FieldGot:
		return c.Got, c.Got != ""
	case FieldMethod:
		return c.Method, c.Method != ""
	case FieldAllow:
		return c.Allow, c.Allow != ""
	}
	return nil, false
}

// Complete reports whether the reason is known here and the cause has the
// fields that it needs. One of another version of the daemon may not.
func (c *Cause) Complete() bool {
	d, ok := Define(c.Reason)
	for _, f := range d.Needs {
		_, has := c.Get(f)
		ok = ok && has
	}
	return ok
}

// String returns the reason and its fields for programmers:
// "send-failed message=REQUEST fault=network is down".
func (c *Cause) String() string {
	var b strings.Builder
	b.WriteString(c.Reason.String())
	d, _ := Define(c.Reason)
	for _, list := range [...][]Field{d.Needs, d.May} {
		for _, f := range list {
			if v, ok := c.Get(f); ok {
				fmt.Fprintf(&b, " %s=%v", f, v)
			}
		}
	}
	return b.String()
}
