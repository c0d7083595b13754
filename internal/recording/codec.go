package recording

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// A codec writes values as JSON: see the package's documentation. Secrets, if set,
// replaces them.
type codec struct{ secrets *secrets }

var (
	errorType       = reflect.TypeFor[error]()
	marshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	instantType     = reflect.TypeFor[boottime.Instant]()
	durationType    = reflect.TypeFor[time.Duration]()
)

// isText reports whether the values of a type have a text that can be read back.
func isText(t reflect.Type) bool {
	return t.Implements(marshalerType) && reflect.PointerTo(t).Implements(unmarshalerType)
}

// append appends the form of a value to b. It panics on a type that has none, which a
// test finds.
func (c codec) append(b []byte, v reflect.Value) []byte {
	t := v.Type()
	switch {
	case t == instantType, t == durationType:
		return appendString(b, time.Duration(v.Int()).String())
	case t == errorType:
		if v.IsNil() {
			return append(b, "null"...)
		}
		err, _ := v.Interface().(error)
		return c.append(b, reflect.ValueOf(failureOf(err)))
	case isText(t):
		m, _ := v.Interface().(encoding.TextMarshaler)
		text, err := m.MarshalText()
		if err != nil {
			panic(err)
		}
		return appendString(b, string(text))
	}
	switch t.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...)
		}
		return c.append(b, v.Elem())
	case reflect.Slice, reflect.Array:
		return c.appendList(b, v)
	case reflect.Struct:
		return c.appendStruct(b, v)
	default:
		panic("no form of " + t.String())
	}
}

func appendString(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return append(hex.AppendEncode(append(b, `{"hex":"`...), []byte(s)), `"}`...)
	}
	text, _ := json.Marshal(s) // a string has a form always
	return append(b, text...)
}

func (c codec) appendList(b []byte, v reflect.Value) []byte {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return append(b, "null"...)
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		octets := make([]byte, v.Len())
		for i := range octets {
			octets[i] = byte(v.Index(i).Uint())
		}
		return append(hex.AppendEncode(append(b, '"'), octets), '"')
	}
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.append(b, v.Index(i))
	}
	return append(b, ']')
}

func (c codec) appendStruct(b []byte, v reflect.Value) []byte {
	switch original := v.Interface().(type) {
	case dhcp4.Nonce:
		original.Key = c.secrets.nonce(original.Key)
		v = reflect.ValueOf(original)
	case dhcp4.Datagram:
		original.Message = c.secrets.datagram(original.Message)
		v = reflect.ValueOf(original)
	case v4.Record:
		v = reflect.ValueOf(apart(original))
	}
	b = append(b, '{')
	first := true
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, v.Type().Field(i).Name), ':')
		b = c.append(b, f)
	}
	return append(b, '}')
}

// apart returns a record in which a network has no lease where that is the record's
// own: it is the same one, not one that is equal.
func apart(r v4.Record) v4.Record {
	r.Networks = slices.Clone(r.Networks)
	for i := range r.Networks {
		if r.Networks[i].Lease == r.Lease {
			r.Networks[i].Lease = nil
		}
	}
	return r
}

// join is the reverse of apart.
func join(r *v4.Record) error {
	for i := range r.Networks {
		if r.Networks[i].Lease == nil {
			r.Networks[i].Lease = r.Lease
		}
		if r.Networks[i].Lease == nil {
			return errors.New("a network has no lease")
		}
	}
	return nil
}

// decode sets v to what the JSON says.
func decode(text []byte, v reflect.Value) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return err
	}
	return set(v, tree)
}

// set sets v to a part of a tree that package json made.
func set(v reflect.Value, from any) error {
	t := v.Type()
	if from == nil {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Interface:
			v.SetZero()
			return nil
		default:
			return fmt.Errorf("null is no %v", t)
		}
	}
	switch {
	case t == instantType, t == durationType:
		s, _ := from.(string)
		d, err := time.ParseDuration(s)
		v.SetInt(int64(d))
		return err
	case t == errorType:
		var f failure
		if err := set(reflect.ValueOf(&f).Elem(), from); err != nil {
			return err
		}
		v.Set(reflect.ValueOf(f.err()))
		return nil
	case isText(t):
		s, ok := from.(string)
		u, is := v.Addr().Interface().(encoding.TextUnmarshaler)
		if !ok || !is {
			return fmt.Errorf("%v is no %v", from, t)
		}
		return u.UnmarshalText([]byte(s))
	}
	switch t.Kind() {
	case reflect.Bool:
		if b, ok := from.(bool); ok {
			v.SetBool(b)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, _ := from.(json.Number)
		i, err := strconv.ParseInt(n.String(), 10, t.Bits())
		v.SetInt(i)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, _ := from.(json.Number)
		u, err := strconv.ParseUint(n.String(), 10, t.Bits())
		v.SetUint(u)
		return err
	case reflect.String:
		s, err := stringOf(from)
		v.SetString(s)
		return err
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return set(v.Elem(), from)
	case reflect.Slice, reflect.Array:
		return setList(v, from)
	case reflect.Struct:
		if fields, ok := from.(map[string]any); ok {
			return setStruct(v, fields)
		}
	default:
	}
	return fmt.Errorf("%v is no %v", from, t)
}

func stringOf(from any) (string, error) {
	switch from := from.(type) {
	case string:
		return from, nil
	case map[string]any:
		if text, ok := from["hex"].(string); ok {
			b, err := hex.DecodeString(text)
			return string(b), err
		}
	}
	return "", fmt.Errorf("%v is no text", from)
}

func setList(v reflect.Value, from any) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		text, ok := from.(string)
		b, err := hex.DecodeString(text)
		switch {
		case !ok || err != nil || v.Kind() == reflect.Array && len(b) != v.Len():
			return fmt.Errorf("%v is no %v", from, v.Type())
		case v.Kind() == reflect.Slice:
			v.SetBytes(b)
		default:
			for i := range b {
				v.Index(i).SetUint(uint64(b[i]))
			}
		}
		return nil
	}
	list, ok := from.([]any)
	if !ok || v.Kind() == reflect.Array && len(list) != v.Len() {
		return fmt.Errorf("%v is no %v", from, v.Type())
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	}
	for i, e := range list {
		if err := set(v.Index(i), e); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func setStruct(v reflect.Value, fields map[string]any) error {
	for name, from := range fields {
		f, ok := v.Type().FieldByName(name)
		if !ok || !f.IsExported() || len(f.Index) != 1 {
			return fmt.Errorf("%w: field %s of %v", errUnknown, name, v.Type())
		}
		if err := set(v.FieldByIndex(f.Index), from); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if r, is := v.Addr().Interface().(*v4.Record); is {
		return join(r)
	}
	return nil
}

// A failure is the form of an error: its text, and what the core looks for in it.
type failure struct {
	// Text is the error's, absent where it is Fault's.
	Text       string
	Fault      *reason.Fault
	LinkDown   bool
	Unresolved netip.Addr
}

func failureOf(err error) failure {
	f := failure{Text: err.Error(), LinkDown: errors.Is(err, netconf.ErrLinkDown)}
	if fault, is := errors.AsType[*reason.Fault](err); is {
		f.Fault = fault
		if fault.Error() == f.Text {
			f.Text = ""
		}
	}
	if u, is := errors.AsType[*netconf.UnresolvedError](err); is {
		f.Unresolved = u.Hop
	}
	return f
}

// err returns an error of which failureOf makes f.
func (f failure) err() error {
	e := &recordedError{text: f.Text}
	if f.Fault != nil {
		e.is = append(e.is, f.Fault)
		if f.Text == "" {
			e.text = f.Fault.Error()
		}
	}
	if f.LinkDown {
		e.is = append(e.is, netconf.ErrLinkDown)
	}
	if f.Unresolved.IsValid() {
		e.is = append(e.is, &netconf.UnresolvedError{Hop: f.Unresolved})
	}
	if len(e.is) == 1 && e.is[0].Error() == e.text {
		return e.is[0]
	}
	return e
}

// A recordedError is an error of the system on which a recording was made.
type recordedError struct {
	text string
	is   []error
}

func (e *recordedError) Error() string { return e.text }

// Unwrap returns what the core looks for in the error.
func (e *recordedError) Unwrap() []error { return e.is }
